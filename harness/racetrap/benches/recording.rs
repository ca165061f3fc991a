//! Measures what recording costs a run: applies the records of a journal to a view, first alone,
//! then with a journal on disk, then with masks and a journal. The three ways take turns, so that a
//! change of the machine's speed affects all of them.
//!
//! The argument is the path of a journal, which `racetrap run ID --keep` leaves.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

use racetrap::mask::RecordMasker;
use racetrap_history::{Record, View, journal};

const TURNS: usize = 30;
const WARM_UP: usize = 3;

/// Applies all records to a view; may write them to a journal at the path.
type Apply = fn(&[Record], &Path) -> View;

const VARIANTS: [(&str, Apply); 3] =
    [("view alone", view_alone), ("journal", with_journal), ("masks and journal", with_masks)];

fn view_alone(records: &[Record], _: &Path) -> View {
    let mut view = View::default();
    records.iter().for_each(|record| view.apply(record));
    view
}

fn with_journal(records: &[Record], path: &Path) -> View {
    let mut view = View::default();
    let mut file = File::create(path).expect("the disk has space");
    for record in records {
        view.apply(record);
        journal::append(&mut file, record).expect("the disk has space");
    }
    view
}

// The same as the recorder does with each record, without its lock and its clock.
fn with_masks(records: &[Record], path: &Path) -> View {
    let mut view = View::default();
    let mut file = File::create(path).expect("the disk has space");
    let mut masks = RecordMasker::default();
    for record in records {
        view.apply(record);
        let mut record = record.clone();
        masks.mask(&mut record);
        journal::append(&mut file, &record).expect("the disk has space");
    }
    view
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[expect(clippy::print_stdout, reason = "the ratios are what a person runs this for")]
fn main() {
    // Cargo's own arguments begin with a dash.
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("usage: cargo bench -p racetrap --bench recording -- EVIDENCE/journal.jsonl");
        return;
    };
    let file = File::open(&path).expect("the argument is a journal");
    let records = journal::read(BufReader::new(file)).expect("the argument is a journal").records;
    let run = Duration::from_micros(records.last().map_or(0, |last| last.at_us));
    let place = tempfile::tempdir().expect("the disk has space");
    let target = place.path().join("journal");
    let mut times = vec![Vec::with_capacity(TURNS); VARIANTS.len()];
    for turn in 0..TURNS + WARM_UP {
        for step in 0..VARIANTS.len() {
            // Each turn begins with another variant, so that none profits from always being the
            // last.
            let variant = (turn + step) % VARIANTS.len();
            let began = Instant::now();
            std::hint::black_box((VARIANTS[variant].1)(&records, &target));
            if turn >= WARM_UP {
                times[variant].push(began.elapsed());
            }
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    println!("{} records of a run of {run:.1?}", records.len());
    for ((name, _), &time) in VARIANTS.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        let share = 100.0 * time.saturating_sub(medians[0]).as_secs_f64() / run.as_secs_f64();
        println!("{name:<18} p50 {time:>9.1?}  x{ratio:.2}  {share:.2} % of the run added");
    }
}
