//! Lanes, their rows, and the items in a row.

use racetrap_history::Record;

use super::Tone;

/// A record's number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::timeline) struct At {
    /// The record's number.
    pub(in crate::timeline) seq: u64,
    /// Microseconds since the run began.
    pub(in crate::timeline) us: u64,
}

impl From<&Record> for At {
    fn from(record: &Record) -> Self {
        Self { seq: record.seq, us: record.at_us }
    }
}

/// A mark or a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::timeline) struct Item {
    pub(in crate::timeline) tone: Tone,
    pub(in crate::timeline) label: String,
    pub(in crate::timeline) from: At,
    /// The end of a bar; `None` for a mark.
    pub(in crate::timeline) to: Option<At>,
}

impl Item {
    pub(super) fn mark(at: At, tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into(), from: at, to: None }
    }

    pub(super) fn bar(from: At, to: At, tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into(), from, to: Some(to) }
    }
}

/// All items that are drawn at one height.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::timeline) struct Row {
    pub(in crate::timeline) title: String,
    /// Sorted by their beginning; of two that begin together, the longer one comes first.
    pub(in crate::timeline) items: Vec<Item>,
}

impl Row {
    pub(super) fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        let mut row = Self { title: title.into(), items };
        row.items.sort_by_key(|item| {
            let to = item.to.map_or(item.from.seq, |to| to.seq);
            (item.from.us, item.from.seq, std::cmp::Reverse(to))
        });
        row
    }
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::timeline) struct Lane {
    pub(in crate::timeline) title: String,
    pub(in crate::timeline) rows: Vec<Row>,
}
