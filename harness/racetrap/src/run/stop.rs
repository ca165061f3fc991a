//! A request to stop, shared by all runs of a command.

use tokio::sync::watch;

/// Whether the harness was told to stop, and by what; clones are told together.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Option<&'static str>>);

/// The side that tells.
#[derive(Debug)]
pub struct StopSender(watch::Sender<Option<&'static str>>);

impl Stop {
    /// A request that may come, and who tells it.
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

    /// The request, where it has come already.
    #[must_use]
    pub fn asked_now(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits for the request. Cancel-safe: a request that has come stays.
    pub(super) async fn asked(&self) -> &'static str {
        let mut receiver = self.0.clone();
        let asked = receiver.wait_for(Option::is_some).await.map(|asked| *asked);
        match asked {
            Ok(Some(by)) => by,
            // Nobody is left who could ask.
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
