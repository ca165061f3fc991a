//! Records the start and the end of a process in the history.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use racetrap_history::{Exit, ProcessState, What};

use crate::recorder::Recorder;
use crate::sys::Identity;

/// Records one process: its start now, its end later. Clones stand for the same process.
#[derive(Clone)]
pub(crate) struct Lifetime {
    name: &'static str,
    process: Identity,
    recorder: Recorder,
    expected: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl Lifetime {
    /// Records that the process called `name` runs.
    pub(crate) fn begin(name: &'static str, process: Identity, recorder: &Recorder) -> Self {
        let (recorder, expected, ended) = (recorder.clone(), Arc::default(), Arc::default());
        let lifetime = Self { name, process, recorder, expected, ended };
        lifetime.record(ProcessState::Started);
        lifetime
    }

    /// The end of the process is expected from here on. To be called before the signal is sent: the
    /// task that waits for the end may see it at once.
    pub(crate) fn expect_end(&self) {
        self.expected.store(true, Ordering::SeqCst);
    }

    /// Records the end, unless it is recorded already: as a stop if it was expected, else as a death by `exit`.
    pub(crate) fn end(&self, exit: Exit) {
        if self.ended.swap(true, Ordering::SeqCst) {
            return;
        }
        let expected = self.expected.load(Ordering::SeqCst) || self.recorder.expects_ends();
        self.record(if expected { ProcessState::Stopped } else { ProcessState::Died { exit } });
    }

    fn record(&self, state: ProcessState) {
        let Identity { pid, started } = self.process;
        self.recorder.append(What::Process { name: self.name.to_owned(), pid, started, state });
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, process, .. } = self;
        f.debug_struct("Lifetime")
            .field("name", name)
            .field("process", process)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    // Whoever ends a process records its end at once; the task that waits for it may come later.
    #[test]
    fn an_end_is_recorded_once() {
        let place = tempfile::tempdir().expect("a directory");
        let recorder =
            Recorder::create(&place.path().join("journal"), Clock::start()).expect("new");
        let lifetime = Lifetime::begin("daemon", Identity { pid: 7, started: 1 }, &recorder);
        lifetime.expect_end();
        lifetime.end(Exit::Unknown("by its command".to_owned()));
        lifetime.clone().end(Exit::Unknown("by its task".to_owned()));
        let history = recorder.history();
        let states = history.iter().filter_map(|record| {
            let What::Process { state, .. } = &record.what else { return None };
            Some(state)
        });
        let expected = [ProcessState::Started, ProcessState::Stopped];
        assert_eq!(states.collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    }
}
