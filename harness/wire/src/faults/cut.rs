//! Cuts connections: both sides see the end at once, wherever a message is on its way.

use crate::connection_state::Activity;
use crate::wire::Wire;

/// Which connections to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Those that carry an event stream.
    Events,
    /// All.
    All,
}

impl Wire {
    /// Cuts connections now, on both sides of the wire, and returns their number. Does not count a
    /// connection that was cut before.
    pub fn cut(&self, streams: Streams) -> usize {
        let state = self.shared.state();
        let selected = state.connections.values().filter(|connection| match streams {
            Streams::Events => connection.activity() == Activity::Events,
            Streams::All => true,
        });
        selected.filter(|connection| connection.cut()).count()
    }
}
