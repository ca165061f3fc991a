//! A probe of the user's engine that a newer one replaces is ended (contract 5.2.13).
//!
//! The wire before the user's own engine forwards a request only as long as its sender is there. If it
//! forwards an older ping after the daemon has sent a newer one, the older probe was not ended. The
//! docker command pings the same engine, so nothing is judged while one runs.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{ProcessState, Record, What, WireWhat};
use crate::steps::Steps;
use crate::view::UserCommands;

/// A ping of the user's engine that is not answered yet.
struct Ping {
    connection: u64,
    /// The record of a newer ping.
    replaced: Option<u64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut by_user = UserCommands::default();
    let mut pings: BTreeMap<u64, Ping> = BTreeMap::new();
    for record in history {
        by_user.apply(record, steps);
        match &record.what {
            What::Process { name, state, .. }
                if name == "daemon" && *state == ProcessState::Started =>
            {
                pings.clear();
            }
            What::UserWire(message) => match &message.event {
                WireWhat::Request { target, .. }
                    if target.ends_with("/_ping") && !by_user.run() =>
                {
                    // One probe sends its second ping by the connection of the first.
                    let older = pings.values_mut();
                    older
                        .filter(|ping| ping.connection != message.connection)
                        .for_each(|ping| ping.replaced = ping.replaced.or(Some(record.seq)));
                    let connection = message.connection;
                    pings.insert(message.exchange, Ping { connection, replaced: None });
                }
                WireWhat::Released { gate } => {
                    let ping = pings.get(&message.exchange).and_then(|ping| ping.replaced);
                    if let Some(newer) = ping {
                        let text = format!(
                            "the ping that gate {gate} held still had its sender, although the \
                             daemon had begun a newer probe (record {newer})"
                        );
                        finding.violated(Check::ProbeWaits, record.seq, text);
                    }
                }
                WireWhat::Response { .. }
                | WireWhat::Finished { .. }
                | WireWhat::Abandoned { .. }
                | WireWhat::Cut
                | WireWhat::UpstreamLost { .. } => {
                    pings.remove(&message.exchange);
                }
                WireWhat::Closed => {
                    pings.retain(|_, ping| ping.connection != message.connection);
                }
                _ => {}
            },
            _ => {}
        }
    }
    finding
}
