//! What ends a run before its last step: a request to stop, which all runs of a command share, and the
//! run's own deadline.

use std::time::Duration;

use racetrap_history::What;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::options::RunOptions;
use crate::clock::Clock;
use crate::recorder::Recorder;

/// What stops all runs because one has failed.
pub(crate) const FAIL_FAST: &str = "--fail-fast";

/// Whether the harness was asked to stop, and by what. Clones share the request.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Option<&'static str>>);

/// Sends the request. Clones send the same one.
#[derive(Clone, Debug)]
pub struct StopSender(watch::Sender<Option<&'static str>>);

impl Stop {
    /// A request that may come, and its sender.
    #[must_use]
    pub fn pair() -> (StopSender, Self) {
        let (sender, receiver) = watch::channel(None);
        (StopSender(sender), Self(receiver))
    }

    /// No request will come.
    #[must_use]
    pub fn never() -> Self {
        Self::pair().1
    }

    /// The request, if it has come already.
    #[must_use]
    pub fn asked_now(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits for the request. Cancel-safe: a request that has come stays.
    async fn asked(&self) -> &'static str {
        let mut receiver = self.0.clone();
        let asked = receiver.wait_for(Option::is_some).await.map(|asked| *asked);
        match asked {
            Ok(Some(by)) => by,
            // The sender is gone, so no request can come any more.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl StopSender {
    /// Asks every run to stop; `by` says what made us, such as `SIGINT`.
    pub fn ask(&self, by: &'static str) {
        self.0.send_replace(Some(by));
    }
}

/// What ends one run before its last step.
#[derive(Debug)]
pub(super) struct End {
    stop: Stop,
    deadline: Duration,
    at: Instant,
}

impl End {
    /// The end of a run that began with its clock.
    pub(super) fn new(options: &RunOptions, clock: Clock) -> Self {
        let deadline = options.deadlines.run();
        let left = deadline.saturating_sub(clock.elapsed());
        Self { stop: options.stop.clone(), deadline, at: Instant::now() + left }
    }

    /// Waits for `part` of a run to be done. If the run must end before that, records that the harness
    /// begins to end the run and then the reason, and only then drops the part, which may end clients
    /// and commands. Returns what `part` returned, or why the run must end.
    ///
    /// The end is looked at first: of a part and an end that come together, the end counts, so that the
    /// same records follow in the same order each time.
    pub(super) async fn or_done<T>(
        &self,
        part: impl Future<Output = T>,
        recorder: &Recorder,
        reason: impl FnOnce(&str) -> What,
    ) -> Result<T, String> {
        let ending = async {
            let why = self.comes().await;
            recorder.begin_to_end();
            recorder.append(reason(&why));
            why
        };
        tokio::select! {
            biased;
            // Cancel-safe: a request to stop stays, and so does the deadline.
            why = ending => Err(why),
            done = part => Ok(done),
        }
    }

    /// Waits until the run must end, and says why. Cancel-safe: a request stays, and so does the deadline.
    async fn comes(&self) -> String {
        match timeout_at(self.at, self.stop.asked()).await {
            Ok(by) => format!("the harness was told to stop by {by}"),
            Err(_) => format!("the run did not end within its {} s", self.deadline.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn end(stop: Stop) -> End {
        End { stop, deadline: Duration::from_secs(9), at: Instant::now() + Duration::from_secs(9) }
    }

    fn recorder(place: &tempfile::TempDir) -> Recorder {
        Recorder::create(&place.path().join("journal"), Clock::start()).expect("a new journal")
    }

    fn reason(why: &str) -> What {
        What::Unmade { why: why.to_owned() }
    }

    /// Records a note when it is dropped, as a step does that ends its clients.
    struct Part(Recorder);

    impl Drop for Part {
        fn drop(&mut self) {
            self.0.note("the part is dropped");
        }
    }

    // The part and the end are both there at once. If the order were left to chance, some of the rounds
    // would have another one.
    #[tokio::test]
    async fn an_end_counts_before_a_part_that_is_done_and_is_recorded_in_one_order() {
        for _ in 0..20 {
            let place = tempfile::tempdir().expect("a temporary directory");
            let recorder = recorder(&place);
            let (sender, stop) = Stop::pair();
            sender.ask("SIGINT");
            let part = Part(recorder.clone());
            let done = async move {
                let _part = part;
            };
            let ended = end(stop).or_done(done, &recorder, reason).await;
            let why = ended.expect_err("the end came");
            let records: Vec<_> = recorder.history().into_iter().map(|it| it.what).collect();
            let note = What::Note { text: "the part is dropped".to_owned() };
            assert_eq!(records, [What::Ending, reason(&why), note]);
        }
    }

    #[tokio::test]
    async fn a_part_that_is_done_before_the_end_is_recorded_by_its_caller_alone() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let recorder = recorder(&place);
        let done = end(Stop::never()).or_done(async { 7 }, &recorder, reason).await;
        assert_eq!(done, Ok(7));
        assert_eq!(recorder.history(), []);
    }
}
