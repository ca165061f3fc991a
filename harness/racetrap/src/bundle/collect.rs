//! Runs collectors side by side. Each one has a budget, and all of them share a deadline. A
//! collector that hangs or panics costs one entry in the manifest and disturbs no other collector.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::output::{CollectorOutput, Store};

/// Collects one kind of file from a world.
pub(super) struct Collector {
    name: &'static str,
    budget: Duration,
    work: Work,
}

enum Work {
    /// Blocking work on a thread of its own: a read may hang, and nothing can interrupt it.
    Blocking(Box<dyn FnOnce(&CollectorOutput) + Send>),
    /// Asynchronous work, which is dropped when its time is over.
    Async(Box<dyn FnOnce(CollectorOutput) -> LocalBoxFuture<'static, ()>>),
}

impl Collector {
    /// A collector that reads files.
    pub(super) fn blocking(
        name: &'static str,
        budget: Duration,
        work: impl FnOnce(&CollectorOutput) + Send + 'static,
    ) -> Self {
        Self { name, budget, work: Work::Blocking(Box::new(work)) }
    }

    /// A collector that waits for sockets or processes.
    pub(super) fn asynchronous<F: Future<Output = ()> + 'static>(
        name: &'static str,
        budget: Duration,
        work: impl FnOnce(CollectorOutput) -> F + 'static,
    ) -> Self {
        Self { name, budget, work: Work::Async(Box::new(|output| work(output).boxed_local())) }
    }

    /// Runs until the collector ends, its budget is used up, or the deadline comes. Unless the
    /// collector ended by itself, the store gets an entry with the reason.
    async fn run(self, store: &Store, deadline: Instant) {
        let output = store.output(self.name);
        let until = deadline.min(Instant::now() + self.budget);
        let ended = timeout_at(until, self.work.run(output.clone())).await;
        output.close(match ended {
            Ok(Ok(())) => None,
            Ok(Err(panic)) => Some(panic),
            // Both times may be over; the entry names the one that came first.
            Err(_) if until == deadline => Some("not done by the capture's deadline".to_owned()),
            Err(_) => Some(format!("not done within its budget of {:?}", self.budget)),
        });
    }
}

impl Work {
    async fn run(self, output: CollectorOutput) -> Result<(), String> {
        match self {
            Self::Async(work) => {
                // Called inside the future, so that a panic before the first await is caught too.
                let caught =
                    AssertUnwindSafe(async move { work(output).await }).catch_unwind().await;
                caught.map_err(|panic| panicked(panic.as_ref()))
            }
            Self::Blocking(work) => on_thread(move || work(&output)).await,
        }
    }
}

/// Runs blocking work on a thread of its own. If the caller stops waiting, the thread goes on; it
/// is not one of the runtime's threads, whose end the runtime would wait for when it shuts down.
///
/// # Errors
/// The message of the panic, if the work panics.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, ended) = oneshot::channel();
    let work = move || {
        let caught = catch_unwind(AssertUnwindSafe(work));
        // Fails if nobody waits any more, because the budget is used up.
        let _ = sender.send(caught.map_err(|panic| panicked(panic.as_ref())));
    };
    let thread = std::thread::Builder::new().name("collector".to_owned());
    thread.spawn(work).map_err(|error| format!("it has no thread: {error}"))?;
    ended.await.unwrap_or_else(|_| Err("its thread ended".to_owned()))
}

/// Runs all collectors until each has ended, has used up its budget, or `limit` is over.
pub(super) async fn collect(mut collectors: Vec<Collector>, store: &Store, limit: Duration) {
    let deadline = Instant::now() + limit;
    // Collectors with a small budget are cheap, so they start first.
    collectors.sort_by_key(|collector| collector.budget);
    join_all(collectors.into_iter().map(|collector| collector.run(store, deadline))).await;
}

/// The message of a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::manifest::State;
    use super::super::output::Content;
    use super::*;
    use crate::mask::Masker;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(30);

    fn store(place: &Path) -> Store {
        Store::new(place.to_owned(), "world", Masker::default())
    }

    fn text() -> Content {
        Content::Text("found\n".to_owned())
    }

    /// Reads for ever, as from a disk that does not answer; the thread ends with the test's
    /// process.
    fn hang() {
        loop {
            std::thread::park();
        }
    }

    // Two collectors hang and two panic, of each one on a thread and one in a task, after each has
    // stored a file. Each costs one entry with the reason; the stored files and those of the fifth
    // collector stay.
    #[tokio::test]
    async fn a_collector_that_hangs_or_panics_costs_its_own_entry_and_nothing_else() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let store = store(place.path());
        let collectors = vec![
            Collector::blocking("read-hangs", SHORT, |output| {
                output.put("a.txt", text());
                hang();
            }),
            Collector::blocking("read-panics", LONG, |output| {
                output.put("b.txt", text());
                panic!("no such thing");
            }),
            Collector::asynchronous("ask-hangs", SHORT, |output| async move {
                output.put("c.txt", text());
                std::future::pending().await
            }),
            Collector::asynchronous("ask-panics", LONG, |output| async move {
                output.put("d.txt", text());
                panic!("no answer");
            }),
            Collector::blocking("well", LONG, |output| output.put("e/f.txt", text())),
        ];
        collect(collectors, &store, LONG).await;
        let entries = store.entries();
        let ends: Vec<_> = entries
            .iter()
            .filter(|entry| entry.state == State::Missing)
            .map(|entry| (entry.name.as_str(), entry.why.as_deref().expect("a reason")))
            .collect();
        let expected = [
            ("ask-hangs", "not done within its budget of 50ms"),
            ("ask-panics", "it panicked: no answer"),
            ("read-hangs", "not done within its budget of 50ms"),
            ("read-panics", "it panicked: no such thing"),
        ];
        assert_eq!(ends, expected);
        let there: Vec<_> = entries.iter().filter_map(|entry| entry.path.as_deref()).collect();
        let expected =
            ["a.txt", "b.txt", "c.txt", "d.txt", "e/f.txt"].map(|it| format!("world/{it}"));
        assert_eq!(there, expected);
        assert_eq!(std::fs::read(place.path().join("e/f.txt")).expect("a file"), b"found\n");
    }

    // The deadline comes long before the budget of the collector is used up.
    #[tokio::test]
    async fn the_deadline_of_the_capture_ends_a_collector_within_its_budget() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let store = store(place.path());
        let hangs = Collector::asynchronous("hangs", LONG, |_| std::future::pending());
        collect(vec![hangs], &store, SHORT).await;
        let entries = store.entries();
        assert_eq!(entries[0].why.as_deref(), Some("not done by the capture's deadline"));
    }

    // A file is in the place of a directory, and a document is not of its kind: both get an entry
    // as missing, with the path that they would have. A file that is put after the end of its
    // collector gets none.
    #[tokio::test]
    async fn a_file_that_cannot_be_stored_is_missing_and_a_late_one_is_ignored() {
        let place = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(place.path().join("kept"), "").expect("a file");
        let store = store(place.path());
        let output = store.output("one");
        output.put("kept/a.txt", text());
        let kind = crate::mask::DocumentKind::Kubeconfig;
        output.put("b.yaml", Content::Document(kind, serde_json::json!({ "token": "x" })));
        output.close(None);
        output.put("late.txt", text());
        let entries = store.entries();
        let found: Vec<_> = entries.iter().map(|it| (it.path.as_deref(), it.state)).collect();
        let missing = State::Missing;
        assert_eq!(found, [(Some("world/b.yaml"), missing), (Some("world/kept/a.txt"), missing)]);
        assert!(entries[0].why.as_ref().expect("a reason").starts_with("left out: "));
        assert!(entries[1].why.as_ref().expect("a reason").starts_with("could not be written: "));
    }
}
