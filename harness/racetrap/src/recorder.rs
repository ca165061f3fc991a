//! The one door by which anything enters the history: numbered, timed, on disk before it counts.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use racetrap_history::{Record, View, What, journal};
use tokio::sync::watch;

use crate::clock::Clock;

/// Appends to the history; clones share it.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Shared>);

struct Shared {
    clock: Clock,
    log: Mutex<Log>,
    changes: watch::Sender<u64>,
}

struct Log {
    file: File,
    records: Vec<Record>,
    view: View,
    failure: Option<std::io::Error>,
}

impl Recorder {
    /// Opens a new journal at `path`; it must not exist.
    pub(crate) fn create(path: &Path, clock: Clock) -> std::io::Result<Self> {
        let file = File::create_new(path)?;
        let log = Log { file, records: Vec::new(), view: View::default(), failure: None };
        let (changes, _) = watch::channel(0);
        Ok(Self(Arc::new(Shared { clock, log: Mutex::new(log), changes })))
    }

    /// Appends one record.
    pub(crate) fn append(&self, what: What) {
        let mut log = self.log();
        let seq = log.records.len() as u64;
        let at_us = u64::try_from(self.0.clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        let record = Record { seq, at_us, what };
        if let Err(error) = journal::append(&mut log.file, &record) {
            log.failure.get_or_insert(error);
        }
        log.view.apply(&record);
        log.records.push(record);
        drop(log);
        self.0.changes.send_replace(seq + 1);
    }

    /// Appends a remark.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.append(What::Note { text: text.into() });
    }

    /// The number of records, as a value that can be waited on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Looks at what is known now.
    pub(crate) fn with_view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.log().view)
    }

    /// The whole history so far.
    pub(crate) fn history(&self) -> Vec<Record> {
        self.log().records.clone()
    }

    /// The first record that could not be written, if any; taken once.
    pub(crate) fn take_failure(&self) -> Option<std::io::Error> {
        self.log().failure.take()
    }

    /// The run's clock.
    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().expect("nothing panics while it holds the log")
    }
}
