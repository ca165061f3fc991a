//! The recorder: everything that enters the history goes through it. It numbers, times and masks
//! each record, and writes it to the journal before any waiter sees it.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard};

use racetrap_history::{ProcessState, Record, View, What, journal};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::mask::{Masker, RecordMasker};

/// Appends to the history. Clones append to the same one.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    /// Whether its records are those of the neighbour, the second daemon.
    of_neighbour: bool,
}

struct Shared {
    log: Mutex<Log>,
    /// The number of records. A change wakes every waiter.
    changes: watch::Sender<u64>,
}

struct Log {
    clock: Clock,
    file: File,
    /// Masked, as on disk.
    records: Vec<Record>,
    /// Folded from the records before they were masked.
    view: View,
    neighbours_view: View,
    masks: RecordMasker,
    /// The first record that could not be written.
    failure: Option<std::io::Error>,
    /// The harness ends every process of the world.
    expects_ends: bool,
}

/// A history that has ended.
pub(crate) struct Whole {
    /// All records.
    pub(crate) records: Vec<Record>,
    /// The first record that could not be written, if any.
    pub(crate) failure: Option<std::io::Error>,
}

impl Log {
    fn new(file: File, clock: Clock) -> Self {
        Self {
            clock,
            file,
            records: Vec::new(),
            view: View::default(),
            neighbours_view: View::default(),
            masks: RecordMasker::default(),
            failure: None,
            expects_ends: false,
        }
    }

    fn append(&mut self, neighbour: bool, what: What) {
        let seq = self.records.len() as u64;
        let at_us = u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut record = Record { seq, at_us, neighbour, what };
        // The view gets the record unmasked: steps send its objects back to the API, which must get
        // the real values. Nothing of a view is ever written.
        if neighbour {
            self.neighbours_view.apply(&record);
        } else {
            self.view.apply(&record);
        }
        self.masks.mask(&mut record);
        // A run goes on without its journal, so that its world is closed in order; it cannot pass.
        if let Err(error) = journal::append(&mut self.file, &record) {
            self.failure.get_or_insert(error);
        }
        self.records.push(record);
    }

    /// The records of the starts of all processes that have not ended, sorted by process ID.
    fn living(&self) -> Vec<What> {
        let mut living = BTreeMap::new();
        for record in &self.records {
            if let What::Process { pid, started, state, .. } = &record.what {
                match state {
                    ProcessState::Started => living.insert((*pid, *started), record.what.clone()),
                    ProcessState::Stopped | ProcessState::Died { .. } => {
                        living.remove(&(*pid, *started))
                    }
                };
            }
        }
        living.into_values().collect()
    }
}

impl Recorder {
    /// The harness ends every process of the world from here on, so that no end is a process's own.
    pub(crate) fn expect_ends(&self) {
        self.log().expects_ends = true;
    }

    /// Whether the harness ends every process of the world.
    pub(crate) fn expects_ends(&self) -> bool {
        self.log().expects_ends
    }

    /// Writes to a new journal at `path`, which must not exist.
    #[cfg(test)]
    pub(crate) fn create(path: &std::path::Path, clock: Clock) -> std::io::Result<Self> {
        Ok(Self::new(File::create_new(path)?, clock))
    }

    /// Writes to the empty journal `file`.
    pub(crate) fn new(file: File, clock: Clock) -> Self {
        let log = Mutex::new(Log::new(file, clock));
        let (changes, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { log, changes }), of_neighbour: false }
    }

    /// Ends the history, and begins another one for all clones, in `file` and with another clock.
    /// Returns the one that has ended.
    ///
    /// The new history has `first` and then the start of each process that still runs. A record
    /// that a clone appends meanwhile is in one of the two, never lost.
    pub(crate) fn begin_history(&self, file: File, clock: Clock, first: What) -> Whole {
        let mut log = self.log();
        log.append(self.of_neighbour, What::Ended);
        let before = std::mem::replace(&mut *log, Log::new(file, clock));
        log.append(self.of_neighbour, first);
        for process in before.living() {
            log.append(self.of_neighbour, process);
        }
        self.notify(log);
        Whole { records: before.records, failure: before.failure }
    }

    /// A recorder of the neighbour, for the same journal. The neighbour has its own view.
    pub(crate) fn neighbour(&self) -> Self {
        Self { shared: self.shared.clone(), of_neighbour: true }
    }

    /// Appends one record.
    pub(crate) fn append(&self, what: What) {
        let mut log = self.log();
        log.append(self.of_neighbour, what);
        self.notify(log);
    }

    /// Appends one record if `holds` returns `true` for the present view, and returns whether it
    /// did. No other record comes between the two.
    pub(crate) fn append_if(&self, holds: impl FnOnce(&View) -> bool, what: What) -> bool {
        let mut log = self.log();
        let holds = holds(if self.of_neighbour { &log.neighbours_view } else { &log.view });
        if holds {
            log.append(self.of_neighbour, what);
            self.notify(log);
        }
        holds
    }

    /// Wakes everybody who waits for a change.
    fn notify(&self, log: MutexGuard<'_, Log>) {
        let records = log.records.len() as u64;
        // Released first, because a task that wakes up takes the lock to look at the view.
        drop(log);
        self.shared.changes.send_replace(records);
    }

    /// Records that the harness begins to end the run, unless it has begun before. To be called before
    /// anything of the end: no oracle holds the daemon responsible for what follows.
    pub(crate) fn begin_to_end(&self) {
        let mut log = self.log();
        if log.records.iter().any(|record| record.what == What::Ending) {
            return;
        }
        log.append(self.of_neighbour, What::Ending);
        self.notify(log);
    }

    /// Appends a note, which no oracle judges by.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.append(What::Note { text: text.into() });
    }

    /// The number of records, as a value whose changes can be waited for.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Calls `look` with the present view. `look` must not use the recorder, which is locked
    /// meanwhile.
    pub(crate) fn with_view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        let log = self.log();
        look(if self.of_neighbour { &log.neighbours_view } else { &log.view })
    }

    /// The first result that `look` returns for a record of the history.
    pub(crate) fn find<T>(&self, look: impl Fn(&What) -> Option<T>) -> Option<T> {
        self.log().records.iter().find_map(|record| look(&record.what))
    }

    /// The whole history so far. If this is the recorder of the neighbour, only the neighbour's
    /// records.
    pub(crate) fn history(&self) -> Vec<Record> {
        let log = self.log();
        if !self.of_neighbour {
            return log.records.clone();
        }
        log.records.iter().filter(|record| record.neighbour).cloned().collect()
    }

    /// The history so far, with an end, so that it can be judged before the world is closed.
    pub(crate) fn as_ended(&self) -> Vec<Record> {
        let mut records = self.history();
        let (seq, at_us) = records.last().map_or((0, 0), |last| (last.seq + 1, last.at_us));
        records.push(Record { seq, at_us, neighbour: self.of_neighbour, what: What::Ended });
        records
    }

    /// The error of the first record that could not be written, if any. The next call returns
    /// `None`.
    pub(crate) fn take_failure(&self) -> Option<std::io::Error> {
        self.log().failure.take()
    }

    /// A masker with the history's masks, so that a secret has the same mask in all evidence of a
    /// run.
    pub(crate) fn masker(&self) -> Masker {
        self.log().masks.masker().clone()
    }

    /// The clock of the history.
    pub(crate) fn clock(&self) -> Clock {
        self.log().clock
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().expect("nothing panics while it holds the log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, state: ProcessState) -> What {
        What::Process { name: "engine".to_owned(), pid, started: 1, state }
    }

    // Steps use objects of the view, so they must be there unmasked. The history, in memory and on
    // disk, must have no secret.
    #[test]
    fn a_secret_is_in_the_view_and_not_in_the_history() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("journal");
        let recorder = Recorder::create(&path, Clock::start()).expect("a new journal");
        recorder.append(What::Listed {
            resource: "apps".to_owned(),
            version: 1,
            objects: vec![serde_json::json!({
                "metadata": { "name": "app", "resourceVersion": "1" },
                "spec": { "registryToken": "hunter2" },
            })],
        });
        recorder.note("password=hunter2");
        let seen = recorder.with_view(|view| view.object("apps", "app").cloned());
        assert_eq!(seen.expect("the App")["spec"]["registryToken"], "hunter2");
        let written = std::fs::read_to_string(&path).expect("a journal");
        assert!(!written.contains("hunter2"), "{written}");
        assert!(!format!("{:?}", recorder.history()).contains("hunter2"));
        assert_eq!(
            written.matches("masked-1").count(),
            2,
            "equal secrets have one mask: {written}"
        );
    }

    // Both journals are read back from disk. A record that a clone appends after the switch must be
    // only in the second, and so must the start of a process that still runs, but not of one that
    // has ended.
    #[test]
    fn a_new_history_has_its_own_journal_and_the_processes_that_still_run() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let read = |name: &str| {
            let file = File::open(place.path().join(name)).expect("a journal");
            let records = journal::read(std::io::BufReader::new(file)).expect("a journal").records;
            records.into_iter().map(|record| record.what).collect::<Vec<_>>()
        };
        let recorder = Recorder::create(&place.path().join("one"), Clock::start()).expect("new");
        let clone = recorder.clone();
        recorder.append(process(1, ProcessState::Started));
        recorder.append(process(2, ProcessState::Started));
        recorder.append(process(1, ProcessState::Stopped));
        let file = File::create_new(place.path().join("two")).expect("a new file");
        let first = What::Note { text: "first".to_owned() };
        let whole = recorder.begin_history(file, Clock::start(), first.clone());
        clone.note("second");
        let second = What::Note { text: "second".to_owned() };
        assert_eq!(read("two"), [first, process(2, ProcessState::Started), second]);
        assert_eq!(read("one").last(), Some(&What::Ended));
        assert_eq!(whole.records.len(), read("one").len());
        assert!(whole.failure.is_none());
    }
}
