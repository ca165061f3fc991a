//! Violations, checkpoints, and remarks about the run.

use racetrap_history::timeline::Entry;
use racetrap_history::{Judgement, Record, Violation, What};

use super::source::entry_text;
use super::{At, Item, Row, Tone};

/// One row for violations, each at the record that made it true, one for checkpoints and one for
/// remarks.
pub(super) fn rows(history: &[Record], entries: &[Entry], judgement: &Judgement) -> Vec<Row> {
    let marks = |tone: fn(&What) -> Option<Tone>| {
        let marks = history.iter().filter_map(|record| {
            Some(Item::mark(At::from(record), tone(&record.what)?, entry_text(entries, record)))
        });
        marks.collect()
    };
    vec![
        Row::new("violations", violations(history, judgement)),
        Row::new(
            "judged",
            marks(|what| matches!(what, What::Checkpoint { .. }).then_some(Tone::Plain)),
        ),
        Row::new(
            "remarks",
            marks(|what| match what {
                What::Leak { .. } | What::Unmade { .. } => Some(Tone::Bad),
                What::NotApplicable { .. } => Some(Tone::Plain),
                What::Run(_)
                | What::Facts { .. }
                | What::Named { .. }
                | What::Note { .. }
                | What::Ending
                | What::Ended => Some(Tone::Faint),
                _ => None,
            }),
        ),
    ]
}

/// One mark for all violations at the same record.
fn violations(history: &[Record], judgement: &Judgement) -> Vec<Item> {
    // Violations at the same record are consecutive.
    let chunks = judgement.violations.chunk_by(|one, other| one.seq == other.seq);
    let marks = chunks.filter_map(|of_record| {
        let first = of_record.first()?;
        let record = history.iter().find(|record| record.seq == first.seq)?;
        Some(Item::mark(At::from(record), Tone::Bad, label(first, of_record.len())))
    });
    marks.collect()
}

fn label(first: &Violation, count: usize) -> String {
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    format!("{}: {}{more}", first.oracle, first.text)
}
