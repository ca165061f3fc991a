//! The state of an open connection that other tasks read: `Wire::status` and `Wire::cut`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It waits for the next request.
    #[default]
    Idle,
    /// The wire has read a request and has not forwarded its whole response yet.
    Exchange,
    /// It carries an event stream.
    Events,
    /// It carries something that has no end of its own: an upgraded connection, a followed log, a
    /// wait for a container.
    OpenEnded,
}

/// The state of an open connection.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    /// Number of the connection, from 0.
    pub(crate) number: u64,
    exchange: AtomicU64,
    activity: Mutex<Activity>,
    held: AtomicBool,
    cut: watch::Sender<bool>,
}

impl ConnectionState {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            exchange: AtomicU64::new(0),
            activity: Mutex::default(),
            held: AtomicBool::new(false),
            cut: watch::Sender::new(false),
        }
    }

    /// Number of the exchange that is under way; 0 before the first one.
    pub(crate) fn exchange(&self) -> u64 {
        // Relaxed: only the connection's own task writes and reads it.
        self.exchange.load(Ordering::Relaxed)
    }

    pub(crate) fn set_exchange(&self, exchange: u64) {
        self.exchange.store(exchange, Ordering::Relaxed);
    }

    pub(crate) fn activity(&self) -> Activity {
        *self.activity.lock().expect("no code panics while it holds the activity")
    }

    pub(crate) fn set_activity(&self, activity: Activity) {
        *self.activity.lock().expect("no code panics while it holds the activity") = activity;
    }

    /// Whether a gate holds a message of this connection.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// Asks the connection's task to end; false if it was asked already.
    pub(crate) fn cut(&self) -> bool {
        self.cut.send_if_modified(|cut| !std::mem::replace(cut, true))
    }

    /// Waits until the connection is to be cut. Cancel-safe: the value stays true.
    pub(crate) async fn is_cut(&self) {
        // Cannot fail: `self` owns the sender, so the channel stays open during the wait.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }
}
