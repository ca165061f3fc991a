//! Cuts connections: both sides see the end at once, wherever a message is on its way.

use std::convert::Infallible;

use crate::live::{Activity, Line};
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

/// Cuts the connection on which this is called: whoever serves it drops what waits here.
pub(crate) async fn from_within(line: &Line) -> Infallible {
    line.live.cut();
    std::future::pending().await
}
