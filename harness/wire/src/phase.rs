//! Phases of the daemon's connection to the engine, told by its streams of events.

use std::fmt;

/// Phase of the daemon's connection to the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No event stream has been answered yet.
    #[default]
    Bootstrap,
    /// An event stream is open.
    Steady,
    /// The last event stream has ended.
    Reconnect,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "bootstrap",
            Self::Steady => "steady",
            Self::Reconnect => "reconnect",
        })
    }
}

/// Counts event streams.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    open: usize,
    seen: bool,
}

impl Phases {
    pub(crate) fn opened(&mut self) {
        self.open += 1;
        self.seen = true;
    }

    pub(crate) fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// The daemon starts anew: what it connected to before is past.
    pub(crate) fn forget(&mut self) {
        self.seen = false;
    }

    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn now(&self) -> Phase {
        match (self.open, self.seen) {
            (1.., _) => Phase::Steady,
            (0, true) => Phase::Reconnect,
            (0, false) => Phase::Bootstrap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_stream_keeps_the_phase_when_the_first_ends() {
        let mut phases = Phases::default();
        assert_eq!(phases.now(), Phase::Bootstrap);
        phases.opened();
        phases.opened();
        phases.ended();
        assert_eq!(phases.now(), Phase::Steady);
        phases.ended();
        assert_eq!(phases.now(), Phase::Reconnect);
        phases.forget();
        assert_eq!(phases.now(), Phase::Bootstrap);
    }
}
