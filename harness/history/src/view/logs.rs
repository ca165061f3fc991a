//! Clients of the log passthrough, and the engine's streams for them.

use std::collections::BTreeMap;

use crate::record::{Footprint, LogClient, LogEvent};
use crate::scenario::LeaveHow;

/// What is known of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// ID of the container whose log it asked for.
    pub container: Option<String>,
    /// It reads what it is sent.
    pub reads: bool,
    /// HTTP status of its answer.
    pub status: Option<u16>,
    /// It was not answered: its connection failed.
    pub unanswered: bool,
    /// Bytes that it has got.
    pub bytes: u64,
    /// Ends of lines that it has got.
    pub lines: u64,
    /// How it has left, or what it must be dropped for.
    pub left: Option<LeaveHow>,
    /// Code of the close frame by which it ended; none in it where there was no such frame.
    pub ended: Option<Option<u16>>,
}

impl LogState {
    /// It has a WebSocket, and should still have it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.status == Some(101) && self.left.is_none() && self.ended.is_none()
    }
}

/// All clients of a history, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    pub(super) clients: BTreeMap<String, LogState>,
    pub(super) before: Option<Footprint>,
}

impl Logs {
    pub(super) fn see(&mut self, LogClient { client, event }: &LogClient) {
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
