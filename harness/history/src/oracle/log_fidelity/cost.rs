//! What clients cost: nothing when they have gone, and no memory for what they do not read.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{DAEMON_PARTS, Footprint, LogTruth, Record, Stage, What};
use crate::view::View;

/// From so many bytes of unread logs on, the daemon's memory says whether it keeps them: 64 MiB, which
/// is more than a daemon's memory moves by itself.
const UNREAD_BYTES: u64 = 64 << 20;

/// The daemon may grow by this part of what its clients have not read. Buffers on the way are a few
/// MiB, however long the log; one that keeps the log keeps all of it.
const KEPT_PART: u64 = 3;

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let mut view = View::default();
    let mut before: Option<&Footprint> = None;
    let mut engine_has: BTreeMap<&str, u64> = BTreeMap::new();
    for record in history {
        view.apply(record);
        let there = view.log_clients().values().filter(|client| client.is_there()).count();
        match &record.what {
            // Another process has another size.
            What::Process { name, .. } if DAEMON_PARTS.contains(&name.as_str()) => before = None,
            What::LogTruth(LogTruth { client, bytes, .. }) => {
                engine_has.insert(client, *bytes);
            }
            What::Checkpoint { stage: Stage::Probed, .. } if view.log_streams() > there => {
                let text = format!(
                    "{} streams of logs are open on the engine, and {there} clients are there",
                    view.log_streams()
                );
                finding.violated(Check::StreamsLeft, record.seq, text);
            }
            What::Footprint(now) => {
                let first = before.get_or_insert(now);
                let allowed = first.descriptors_with(there);
                if now.descriptors > allowed {
                    let text = format!(
                        "the daemon has {} descriptors with {there} clients, and had {} before any came",
                        now.descriptors, first.descriptors
                    );
                    finding.violated(Check::DescriptorsLeft, record.seq, text);
                }
                let unread = unread(&view, &engine_has);
                let grown = now.peak_kib.saturating_sub(first.resident_kib) << 10;
                if unread >= UNREAD_BYTES && grown > unread / KEPT_PART {
                    let text = format!(
                        "the daemon grew by {} MiB while clients left {} MiB of logs unread",
                        grown >> 20,
                        unread >> 20
                    );
                    finding.violated(Check::MemoryGrown, record.seq, text);
                }
            }
            _ => {}
        }
    }
}

/// Bytes that the engine has for clients that do not read.
fn unread(view: &View, engine_has: &BTreeMap<&str, u64>) -> u64 {
    let clients = view.log_clients().iter().filter(|(_, client)| !client.reads);
    clients.filter_map(|(name, _)| engine_has.get(name.as_str())).sum()
}
