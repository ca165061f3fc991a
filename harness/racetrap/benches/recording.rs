//! What recording costs a run that passes: the records of its journal are taken once more, by the view
//! alone, with the journal on disk, and masked before that, in turns within one run.
//!
//! The journal is one of your own: `racetrap run ID --keep` leaves it, and its path is the argument.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

use racetrap::mask::RecordMasker;
use racetrap_history::{Record, View, journal};

const TURNS: usize = 30;
const WARM_UP: usize = 3;

/// One way to take a history.
type Take = fn(&[Record], &Path) -> View;

const WAYS: [(&str, Take); 3] =
    [("view alone", unrecorded), ("journal", unmasked), ("masks and journal", recorded)];

fn unrecorded(records: &[Record], _: &Path) -> View {
    let mut view = View::default();
    records.iter().for_each(|record| view.apply(record));
    view
}

fn unmasked(records: &[Record], path: &Path) -> View {
    let mut view = View::default();
    let mut file = File::create(path).expect("there is room");
    for record in records {
        view.apply(record);
        journal::append(&mut file, record).expect("there is room");
    }
    view
}

// What the recorder does with each record, but for its lock and its clock.
fn recorded(records: &[Record], path: &Path) -> View {
    let mut view = View::default();
    let mut file = File::create(path).expect("there is room");
    let mut masks = RecordMasker::default();
    for record in records {
        view.apply(record);
        let mut record = record.clone();
        masks.mask(&mut record);
        journal::append(&mut file, &record).expect("there is room");
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
    let place = tempfile::tempdir().expect("there is room");
    let target = place.path().join("journal");
    let mut times = vec![Vec::with_capacity(TURNS); WAYS.len()];
    for turn in 0..TURNS + WARM_UP {
        for step in 0..WAYS.len() {
            let way = (turn + step) % WAYS.len();
            let began = Instant::now();
            std::hint::black_box((WAYS[way].1)(&records, &target));
            if turn >= WARM_UP {
                times[way].push(began.elapsed());
            }
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    println!("{} records of a run of {run:.1?}", records.len());
    for ((name, _), &time) in WAYS.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        let share = 100.0 * time.saturating_sub(medians[0]).as_secs_f64() / run.as_secs_f64();
        println!("{name:<18} p50 {time:>9.1?}  x{ratio:.2}  {share:.2} % of the run added");
    }
}
