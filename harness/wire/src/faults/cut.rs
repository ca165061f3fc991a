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
        let mut count = 0;
        for live in self.shared.state().connections.values() {
            if streams == Streams::All || live.carries_events {
                live.cut.send_replace(true);
                count += 1;
            }
        }
        count
    }
}
