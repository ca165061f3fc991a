//! Phases of the client's connection to the upstream. The open event streams decide which one it
//! is.

use std::fmt;

/// Phase of the client's connection to the upstream.
///
/// With several clients on one wire it is the phase of all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The upstream has not opened an event stream yet.
    #[default]
    Bootstrap,
    /// At least one event stream is open.
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

/// Derives the phase from the number of open event streams.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    open: usize,
    /// Open streams that carry nothing any more, because a fault has stopped them.
    silent: usize,
    had_stream: bool,
}

impl Phases {
    pub(crate) fn stream_opened(&mut self) {
        self.open += 1;
        self.had_stream = true;
    }

    pub(crate) fn stream_ended(&mut self) {
        // Never below 0: each call belongs to a stream that was counted as open.
        self.open = self.open.saturating_sub(1);
    }

    /// The client process is started again: without an open stream the phase is `Bootstrap` again.
    pub(crate) fn reset(&mut self) {
        self.had_stream = false;
    }

    pub(crate) fn stream_fell_silent(&mut self) {
        self.silent += 1;
    }

    pub(crate) fn silent_stream_ended(&mut self) {
        self.silent = self.silent.saturating_sub(1);
    }

    /// The open streams that can still carry something.
    pub(crate) fn open_streams(&self) -> usize {
        self.open.saturating_sub(self.silent)
    }

    pub(crate) fn current(&self) -> Phase {
        match (self.open, self.had_stream) {
            (1.., _) => Phase::Steady,
            (0, true) => Phase::Reconnect,
            (0, false) => Phase::Bootstrap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A stream that a fault has stopped is open, and the client cannot learn anything from it.
    #[test]
    fn a_silent_stream_is_not_counted_and_does_not_change_the_phase() {
        let mut phases = Phases::default();
        phases.stream_opened();
        phases.stream_fell_silent();
        assert_eq!((phases.open_streams(), phases.current()), (0, Phase::Steady));
        phases.stream_opened();
        phases.silent_stream_ended();
        phases.stream_ended();
        assert_eq!((phases.open_streams(), phases.current()), (1, Phase::Steady));
    }

    #[test]
    fn the_phase_stays_steady_while_a_second_stream_is_open() {
        let mut phases = Phases::default();
        assert_eq!(phases.current(), Phase::Bootstrap);
        phases.stream_opened();
        phases.stream_opened();
        phases.stream_ended();
        assert_eq!(phases.current(), Phase::Steady);
        phases.stream_ended();
        assert_eq!(phases.current(), Phase::Reconnect);
        phases.reset();
        assert_eq!(phases.current(), Phase::Bootstrap);
    }
}
