//! Translates events of the wire into records: the wire does not depend on the history, nor the
//! history on the wire.

use racetrap_history::{WireMessage, WireWhat};
use racetrap_wire::{Event, What};

/// The record of one event.
pub(crate) fn wire_message(event: Event) -> WireMessage {
    let Event { connection, exchange, what } = event;
    WireMessage { connection, exchange, event: translate(what) }
}

fn translate(what: What) -> WireWhat {
    match what {
        What::Opened { .. } => WireWhat::Opened,
        What::Request { method, target, route, phase, .. } => WireWhat::Request {
            method,
            target,
            route: route.map(str::to_owned),
            phase: phase.to_string(),
        },
        What::Held { gate, point } => WireWhat::Held { gate, point: point.to_string() },
        What::Released { gate } => WireWhat::Released { gate },
        What::Abandoned { gate } => WireWhat::Abandoned { gate },
        What::Response { status } => WireWhat::Response { status },
        What::Frame { json } => WireWhat::Frame { frame: json },
        What::Finished { bytes } => WireWhat::Finished { bytes },
        What::Upgraded => WireWhat::Upgraded,
        What::Faulted { rule, fault } => WireWhat::Faulted { rule, fault },
        What::Cut => WireWhat::Cut,
        What::Refused => WireWhat::Refused,
        What::UpstreamLost { reason } => WireWhat::UpstreamLost { reason },
        What::Malformed { side, reason } => WireWhat::Malformed { side: side.to_string(), reason },
        What::Closed => WireWhat::Closed,
        _ => unreachable!("every event of the wire has its record"),
    }
}
