//! The records from which the lanes of one daemon are made.

use racetrap_history::timeline::Entry;
use racetrap_history::{Record, Steps, What};

use super::mirrors::Changed;
use super::{
    At, Item, Row, Tone, conditions, engine, kubernetes, log, mirrors, processes, steps, wire,
};

/// The records of one daemon, with everything that was derived from them for the whole history.
pub(super) struct Source<'a> {
    pub(super) records: Vec<&'a Record>,
    /// The steps of the history's scenario.
    pub(super) steps: Steps<'a>,
    /// The texts of all records of the history.
    pub(super) entries: &'a [Entry],
    pub(super) changes: &'a [Changed],
    /// The last record of the history, which ends every bar without an end of its own.
    pub(super) end: At,
}

impl Source<'_> {
    /// All lanes with their titles, in the order in which they are drawn.
    pub(super) fn lanes(&self) -> [(&'static str, Vec<Row>); 11] {
        [
            ("steps", steps::rows(self)),
            ("users", steps::users(self)),
            ("wire", wire::rows(self, wire::Which::Engine)),
            ("client wire", wire::rows(self, wire::Which::Clients)),
            ("Kubernetes", kubernetes::rows(self)),
            ("engine", engine::events(self)),
            ("mirrors", mirrors::rows(self)),
            ("API", engine::watched(self)),
            ("conditions", conditions::rows(self)),
            ("processes", processes::rows(self)),
            ("log", log::rows(self)),
        ]
    }

    /// The text of a record.
    pub(super) fn text(&self, record: &Record) -> &str {
        entry_text(self.entries, record)
    }

    /// One mark for each record for which `tone` returns a tone.
    pub(super) fn marks(&self, tone: impl Fn(&What) -> Option<Tone>) -> Vec<Item> {
        let marks = self.records.iter().filter_map(|record| {
            Some(Item::mark(At::from(*record), tone(&record.what)?, self.text(record)))
        });
        marks.collect()
    }
}

/// The text of a record among the entries of its history.
pub(super) fn entry_text<'a>(entries: &'a [Entry], record: &Record) -> &'a str {
    let index = usize::try_from(record.seq).unwrap_or(usize::MAX);
    entries.get(index).map_or("", |entry| entry.text.as_str())
}
