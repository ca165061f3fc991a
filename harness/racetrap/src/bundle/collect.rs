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
pub(super) async fn on_thread<T: Send + 'static>(
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
