//! All lanes of a history.

use racetrap_history::timeline::{self, Entry};
use racetrap_history::{Judgement, Record, Steps};

use super::mirrors::{Changed, changes};
use super::{At, Lane, Source, judged};

/// Everything that page and trace show of a history.
pub(in crate::timeline) struct Chart {
    /// Every record as text.
    pub(in crate::timeline) entries: Vec<Entry>,
    /// The changes in the comparisons of mirrors: of the run's own daemon, and of its neighbour.
    pub(in crate::timeline) changes: [Vec<Changed>; 2],
    /// In the order in which they are drawn; each has at least one item.
    pub(in crate::timeline) lanes: Vec<Lane>,
    /// The last record.
    pub(in crate::timeline) end: At,
}

impl Chart {
    pub(in crate::timeline) fn new(history: &[Record], judgement: &Judgement) -> Self {
        let entries = timeline::entries(history);
        let end = history.last().map_or(At { seq: 0, us: 0 }, At::from);
        // Two daemons have two engines and two sets of mirrors, so each gets its own lanes.
        let by_daemon = [false, true].map(|neighbour| {
            let records = history.iter().filter(|record| record.neighbour == neighbour);
            records.collect::<Vec<_>>()
        });
        let changes = [changes(&by_daemon[0]), changes(&by_daemon[1])];
        let mut lanes = vec![Lane {
            title: "verdict".to_owned(),
            rows: judged::rows(history, &entries, judgement),
        }];
        for (index, records) in by_daemon.into_iter().enumerate() {
            let (entries, changes) = (&entries[..], &changes[index][..]);
            let source =
                Source { records, steps: Steps::from_history(history), entries, changes, end };
            lanes.extend(source.lanes().into_iter().map(|(title, rows)| {
                let title =
                    if index == 0 { title.to_owned() } else { format!("neighbour’s {title}") };
                Lane { title, rows }
            }));
        }
        for lane in &mut lanes {
            lane.rows.retain(|row| !row.items.is_empty());
        }
        // Most runs have no neighbour and use only some of the sources.
        lanes.retain(|lane| !lane.rows.is_empty());
        Self { entries, changes, lanes, end }
    }
}
