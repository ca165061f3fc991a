//! What is known of an open connection, by its own task and by others.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::event::What;
use crate::gate::GateCore;
use crate::rule::Point;
use crate::wire::Shared;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Between two exchanges.
    #[default]
    Idle,
    /// A request has come, and its response has not been passed on to its end.
    Exchange,
    /// It carries a stream of events.
    Events,
    /// It carries something that has no end of its own: an upgrade, a followed log, a wait.
    OpenEnded,
}

/// An open connection, as others see it.
#[derive(Debug)]
pub(crate) struct Live {
    number: u64,
    exchange: AtomicU64,
    activity: Mutex<Activity>,
    held: AtomicBool,
    cut: watch::Sender<bool>,
}

impl Live {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            exchange: AtomicU64::new(0),
            activity: Mutex::default(),
            held: AtomicBool::new(false),
            cut: watch::Sender::new(false),
        }
    }

    pub(crate) fn activity(&self) -> Activity {
        *self.activity.lock().expect("nothing panics while it holds the activity")
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Asks the connection's task to end; false where somebody did already.
    pub(crate) fn cut(&self) -> bool {
        self.cut.send_if_modified(|cut| !std::mem::replace(cut, true))
    }

    /// Returns when the connection is to be cut.
    pub(crate) async fn is_cut(&self) {
        // The sender lives as long as this value, so that the wait cannot end otherwise.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }
}

/// A connection, as its own task sees it.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
    pub(crate) live: Arc<Live>,
}

impl Line {
    /// Tells of the connection itself.
    pub(crate) fn tell_of_connection(&self, what: What) {
        self.shared.tell(self.live.number, 0, what);
    }

    /// Tells of the exchange that is under way.
    pub(crate) fn tell(&self, what: What) {
        let exchange = self.live.exchange.load(Ordering::Relaxed);
        self.shared.tell(self.live.number, exchange, what);
    }

    /// Numbers the exchange that begins.
    pub(crate) fn begin_exchange(&self) {
        self.live.exchange.store(self.shared.next_exchange(), Ordering::Relaxed);
        self.turn(Activity::Exchange);
    }

    pub(crate) fn turn(&self, activity: Activity) {
        *self.live.activity.lock().expect("nothing panics while it holds the activity") = activity;
    }

    /// Keeps the message that is under way until the gate opens. Where the wait is dropped, the
    /// message is given up.
    pub(crate) async fn stand_at(&self, gate: &Arc<GateCore>, point: Point) {
        let held = What::Held { gate: gate.name.clone(), point };
        // Told before `reached` can return, so that what follows it comes later in any record.
        if !gate.arrive(|| self.tell(held)) {
            return;
        }
        self.live.held.store(true, Ordering::Release);
        let mut standing = Standing { line: self, gate, released: false };
        gate.pass().await;
        standing.released = true;
    }
}

/// A message at a gate, for as long as this value lives.
struct Standing<'a> {
    line: &'a Line,
    gate: &'a GateCore,
    released: bool,
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.line.live.held.store(false, Ordering::Release);
        let gate = self.gate.name.clone();
        if self.released {
            self.line.tell(What::Released { gate });
        } else {
            self.gate.abandon();
            self.line.tell(What::Abandoned { gate });
        }
    }
}
