//! Who speaks: an exchange on a connection, telling the sink what happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::What;
use crate::wire::Shared;

/// Tells of one connection, and of the exchange that is under way on it.
#[derive(Clone, Copy)]
pub(crate) struct Teller<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) connection: u64,
    /// Number of the exchange under way, 0 between two; shared with whoever may cut it.
    pub(crate) exchange: &'a AtomicU64,
}

impl Teller<'_> {
    pub(crate) fn tell(&self, what: What) {
        self.shared.tell(self.connection, self.exchange.load(Ordering::Relaxed), what);
    }

    pub(crate) fn begin_exchange(&self) {
        self.exchange.store(self.shared.next_exchange(), Ordering::Relaxed);
    }

    pub(crate) fn end_exchange(&self) {
        self.exchange.store(0, Ordering::Relaxed);
    }

    pub(crate) fn in_exchange(&self) -> bool {
        self.exchange.load(Ordering::Relaxed) != 0
    }
}
