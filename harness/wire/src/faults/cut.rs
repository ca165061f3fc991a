//! Cuts connections: both sides see the end at once, wherever a message is on its way.

use crate::wire::Wire;

/// Which connections are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Those that carry a stream of events.
    Events,
    /// All.
    All,
}

impl Wire {
    /// Cuts connections now, and tells how many there were.
    pub fn cut(&self, streams: Streams) -> usize {
        let state = self.shared.state();
        let meant = state.connections.values().filter(|live| match streams {
            Streams::All => true,
            Streams::Events => live.carries_events,
        });
        // One that was cut before and has not ended yet is not counted again.
        meant.filter(|live| !live.cut.send_replace(true)).count()
    }
}
