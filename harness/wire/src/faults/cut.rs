//! Cuts connections: both sides see the end at once, wherever a message is on its way.

use crate::live::Activity;
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
    /// Cuts connections now, together with the engine's side of them, and tells how many there were;
    /// one that was cut before is not counted again.
    pub fn cut(&self, streams: Streams) -> usize {
        let state = self.shared.state();
        let meant = state.connections.values().filter(|live| match streams {
            Streams::Events => live.activity() == Activity::Events,
            Streams::All => true,
        });
        meant.filter(|live| live.cut()).count()
    }
}
