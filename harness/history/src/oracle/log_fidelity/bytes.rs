//! A client receives what the engine has sent for it, byte for byte, and at a checkpoint all of it.
//!
//! Each client is compared with what the engine has sent over the wire to the daemon's request for it,
//! and with nothing that the engine says when it is asked again: a log that is rotated, that begins
//! anew, or whose last line has no end is not the same for every reader. What the daemon asked the
//! engine for must be what the client asked for. If several requests may be the client's, it is right
//! as soon as it is right by one of them.
//!
//! How long anything takes decides nothing: what the engine had sent at the level of a checkpoint must
//! have arrived when the daemon was proved to have had its turn. Of a stream that the wire has
//! disturbed, only the order of its bytes is judged, and that it does not pass for a whole one.

use std::collections::{BTreeMap, BTreeSet};

use super::ends::WHOLE;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{LogClient, LogEvent, LogSent, Record, SentStream, Stage, What};
use crate::view::{LogState, View};

/// What the engine had sent in one exchange at the level of a checkpoint.
#[derive(Clone, Copy)]
struct Level {
    bytes: u64,
    is_finished: bool,
}

#[derive(Default)]
struct Judging {
    view: View,
    /// By client and exchange, at the level of the present checkpoint.
    level: BTreeMap<(String, u64), Level>,
    at_level: bool,
    /// Clients that were compared.
    compared: BTreeSet<String>,
}

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let mut judging = Judging::default();
    for record in history {
        judging.view.apply(record);
        match &record.what {
            What::LogSent(sent) => judging.compare(sent, record.seq, finding),
            What::Checkpoint { stage, .. } => {
                judging.at_level = *stage == Stage::Level;
                if *stage == Stage::Probed {
                    judging.level.clear();
                }
            }
            What::LogClient(LogClient {
                client,
                event: LogEvent::Ended { reason, not_utf8: true, .. },
            }) => {
                let text =
                    format!("client {client}: bytes that are no text came as text: {reason}");
                finding.violated(Check::SentAsText, record.seq, text);
            }
            _ => {}
        }
    }
    judging.require_comparisons(finding);
}

impl Judging {
    fn compare(&mut self, sent: &LogSent, seq: u64, finding: &mut Finding) {
        let LogSent { client, streams, .. } = sent;
        let Some(state) = self.view.log_clients().get(client).cloned() else { return };
        self.compared.insert(client.clone());
        let wrong = if streams.is_empty() {
            let text = "it was let in, and the daemon did not ask the engine for what it asked for";
            Some(text.to_owned())
        } else {
            // One stream must be right in every respect.
            let wrongs = streams.iter().map(|stream| self.wrong_by(sent, &state, stream));
            wrongs.collect::<Option<Vec<_>>>().and_then(|mut wrongs| wrongs.pop())
        };
        if let Some(wrong) = wrong {
            let text = format!("client {client}: {wrong}");
            finding.violated(Check::WrongBytes, seq, text);
        }
        if !self.at_level {
            for stream in streams {
                let is_finished = self.is_finished(stream.exchange);
                let level = Level { bytes: stream.bytes, is_finished };
                self.level.insert((client.clone(), stream.exchange), level);
            }
        }
    }

    /// What is wrong with a client if this is the stream that the engine sent for it.
    fn wrong_by(&self, sent: &LogSent, state: &LogState, stream: &SentStream) -> Option<String> {
        let LogSent { client, received, received_sha256, .. } = sent;
        let SentStream { exchange, bytes, prefix_sha256 } = stream;
        if received > bytes || received_sha256 != prefix_sha256 {
            return Some(format!(
                "the {received} bytes that it has received are not the beginning of the {bytes} that the engine has sent for it"
            ));
        }
        // The client may have received more and ended since its bytes were counted. The next
        // comparison judges that.
        let is_whole = state.ended == Some(Some(WHOLE)) && state.left.is_none();
        if is_whole && state.bytes == *received && self.is_finished(*exchange) && received < bytes {
            return Some(format!(
                "its stream ended as whole after {received} bytes, and the engine has sent {bytes}"
            ));
        }
        let is_disturbed =
            self.view.log_exchange(*exchange).is_some_and(|exchange| exchange.is_disturbed);
        if !self.at_level || !state.is_there() || !state.reads || is_disturbed {
            return None;
        }
        let level = self.level.get(&(client.clone(), *exchange))?;
        if *received < level.bytes {
            return Some(format!(
                "it has {received} bytes, and the engine had sent {} before the daemon had its turn",
                level.bytes
            ));
        }
        level.is_finished.then(|| {
            "the engine had ended its log before the daemon had its turn, and it was not told"
                .to_owned()
        })
    }

    fn is_finished(&self, exchange: u64) -> bool {
        self.view.log_exchange(exchange).is_some_and(|exchange| exchange.is_finished)
    }

    /// A client that nobody compared with what the engine has sent shows nothing. Each client is compared
    /// at each checkpoint; what it receives after the last one, from a container that prints on, is not
    /// judged.
    fn require_comparisons(&self, finding: &mut Finding) {
        for (client, state) in self.view.log_clients() {
            let bytes = state.bytes;
            if bytes > 0 && !self.compared.contains(client) {
                let text = format!(
                    "client {client} has received {bytes} bytes, which were not compared with what the engine has sent"
                );
                finding.unknowns.push(text.into());
            }
        }
    }
}
