//! Clients of the log passthrough.

use std::collections::BTreeMap;

use crate::record::{Footprint, LogClient, LogEvent};
use crate::scenario::LeaveHow;

/// The state of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// ID of the container whose log the client requested.
    pub container: Option<String>,
    /// The client reads from its connection.
    pub reads: bool,
    /// HTTP status of the response.
    pub status: Option<u16>,
    /// Whether the client got no answer, because its connection failed.
    pub unanswered: bool,
    /// Number of bytes that the client received.
    pub bytes: u64,
    /// Number of line ends that the client received.
    pub lines: u64,
    /// How the client left, or why the daemon must drop it.
    pub left: Option<LeaveHow>,
    /// `None` while the connection lasts. Then the code of the close frame; `Some(None)` if the
    /// connection ended without a close frame.
    pub ended: Option<Option<u16>>,
}

impl LogState {
    /// Whether the client has a WebSocket that must still be open.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.status == Some(101) && self.left.is_none() && self.ended.is_none()
    }
}

/// All clients of a history, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    pub(super) clients: BTreeMap<String, LogState>,
    /// The daemon's footprint before the first client connected.
    pub(super) before: Option<Footprint>,
}

impl Logs {
    pub(super) fn apply(&mut self, LogClient { client, event }: &LogClient) {
        // The request is the first record of a client.
        if let LogEvent::Asked { container, reads, .. } = event {
            let asked =
                LogState { container: container.clone(), reads: *reads, ..LogState::default() };
            self.clients.insert(client.clone(), asked);
            return;
        }
        let state = self.clients.entry(client.clone()).or_default();
        match event {
            LogEvent::Asked { .. } => {}
            LogEvent::Unanswered { .. } => state.unanswered = true,
            LogEvent::Answered { status, .. } => state.status = Some(*status),
            LogEvent::Received { bytes, lines, .. } => {
                state.bytes += bytes;
                state.lines += lines;
            }
            LogEvent::Reads => state.reads = true,
            LogEvent::Left { how } => state.left = Some(*how),
            LogEvent::Ended { code, .. } => state.ended = Some(*code),
        }
    }
}
