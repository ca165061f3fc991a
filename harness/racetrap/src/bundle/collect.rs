//! Collectors side by side: each has a budget, all have one deadline, and what becomes of one is told
//! whatever it is.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::shelf::{Shelf, Store};

/// One thing that is looked for.
pub(super) struct Collector {
    name: &'static str,
    budget: Duration,
    work: Work,
}

enum Work {
    /// Reads files, on a thread of its own: a read may hang, and nothing can call it back.
    Reads(Box<dyn FnOnce(&Shelf) + Send>),
    /// Asks sockets.
    Asks(Box<dyn FnOnce(Shelf) -> LocalBoxFuture<'static, ()>>),
}

impl Collector {
    /// One that reads files.
    pub(super) fn reads(
        name: &'static str,
        budget: Duration,
        work: impl FnOnce(&Shelf) + Send + 'static,
    ) -> Self {
        Self { name, budget, work: Work::Reads(Box::new(work)) }
    }

    /// One that asks sockets.
    pub(super) fn asks<F: Future<Output = ()> + 'static>(
        name: &'static str,
        budget: Duration,
        work: impl FnOnce(Shelf) -> F + 'static,
    ) -> Self {
        Self { name, budget, work: Work::Asks(Box::new(|shelf| work(shelf).boxed_local())) }
    }

    /// Does the work. An end that was not the collector's own is told in the store.
    async fn run(self, store: &Store, deadline: Instant) {
        let shelf = store.shelf(self.name);
        let until = deadline.min(Instant::now() + self.budget);
        let ended = timeout_at(until, self.work.done(shelf.clone())).await;
        shelf.close(match ended {
            Ok(Ok(())) => None,
            Ok(Err(panic)) => Some(panic),
            Err(_) if until == deadline => Some("not done by the capture's deadline".to_owned()),
            Err(_) => Some(format!("not done within its budget of {:?}", self.budget)),
        });
    }
}

impl Work {
    async fn done(self, shelf: Shelf) -> Result<(), String> {
        match self {
            Self::Asks(work) => {
                let caught =
                    AssertUnwindSafe(async move { work(shelf).await }).catch_unwind().await;
                caught.map_err(|panic| panicked(panic.as_ref()))
            }
            Self::Reads(work) => on_thread(move || work(&shelf)).await,
        }
    }
}

/// Does something on a thread of its own, which may hang where nothing can call it back; gives the
/// words of its panic.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, ended) = oneshot::channel();
    let work = move || {
        let caught = catch_unwind(AssertUnwindSafe(work));
        // Nobody waits any more where the budget is used up.
        let _ = sender.send(caught.map_err(|panic| panicked(panic.as_ref())));
    };
    let thread = std::thread::Builder::new().name("collector".to_owned());
    thread.spawn(work).map_err(|error| format!("it has no thread: {error}"))?;
    ended.await.unwrap_or_else(|_| Err("its thread ended".to_owned()))
}

/// Runs all of them, the cheap first, until each has ended, or has used up its budget, or `limit` is
/// over.
pub(super) async fn collect(mut collectors: Vec<Collector>, store: &Store, limit: Duration) {
    let deadline = Instant::now() + limit;
    collectors.sort_by_key(|collector| collector.budget);
    join_all(collectors.into_iter().map(|collector| collector.run(store, deadline))).await;
}

/// What a panic said.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", text.unwrap_or("without a word"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::manifest::State;
    use super::super::shelf::Content;
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

    /// Reads for ever, as from a disk that does not answer; the thread ends with the test's process.
    fn hang() {
        loop {
            std::thread::park();
        }
    }

    // Two hang, two panic, one on a thread and one in a task each, after they have put something; one is well. Each
    // costs its own entry, with the reason, and what was put before is there.
    #[tokio::test]
    async fn a_collector_that_hangs_or_panics_costs_its_own_entry_and_nothing_else() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let store = store(place.path());
        let collectors = vec![
            Collector::reads("read-hangs", SHORT, |shelf| {
                shelf.put("a.txt", text());
                hang();
            }),
            Collector::reads("read-panics", LONG, |shelf| {
                shelf.put("b.txt", text());
                panic!("no such thing");
            }),
            Collector::asks("ask-hangs", SHORT, |shelf| async move {
                shelf.put("c.txt", text());
                std::future::pending().await
            }),
            Collector::asks("ask-panics", LONG, |shelf| async move {
                shelf.put("d.txt", text());
                panic!("no answer");
            }),
            Collector::reads("well", LONG, |shelf| shelf.put("e/f.txt", text())),
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

    // The capture's own deadline comes before any budget is used up.
    #[tokio::test]
    async fn the_deadline_of_all_ends_a_collector_within_its_budget() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let store = store(place.path());
        let hangs = Collector::asks("hangs", LONG, |_| std::future::pending());
        collect(vec![hangs], &store, SHORT).await;
        let entries = store.entries();
        assert_eq!(entries[0].why.as_deref(), Some("not done by the capture's deadline"));
    }

    // A file where a directory is needed, and a document that is none of its kind: both are told as missing, by
    // the path that they would have. What comes after the end of its collector is not taken.
    #[tokio::test]
    async fn what_cannot_be_kept_is_told_and_what_comes_late_is_not_taken() {
        let place = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(place.path().join("taken"), "").expect("a file");
        let store = store(place.path());
        let shelf = store.shelf("one");
        shelf.put("taken/a.txt", text());
        let kind = crate::mask::DocumentKind::Kubeconfig;
        shelf.put("b.yaml", Content::Document(kind, serde_json::json!({ "token": "x" })));
        shelf.close(None);
        shelf.put("late.txt", text());
        let entries = store.entries();
        let told: Vec<_> = entries.iter().map(|it| (it.path.as_deref(), it.state)).collect();
        let missing = State::Missing;
        assert_eq!(told, [(Some("world/b.yaml"), missing), (Some("world/taken/a.txt"), missing)]);
        assert!(entries[0].why.as_ref().expect("a reason").starts_with("left out: "));
        assert!(entries[1].why.as_ref().expect("a reason").starts_with("could not be written: "));
    }
}
