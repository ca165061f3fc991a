//! Translates events of the wire into records: the wire does not depend on the history, nor the
//! history on the wire.

use racetrap_history::{Phase, Point, WireMessage, WireSide, WireWhat};
use racetrap_wire::{Event, Side, What};

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
            phase: phase_of(phase),
        },
        What::Held { gate, point } => WireWhat::Held { gate, point: point_of(point) },
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
        What::Malformed { side, reason } => WireWhat::Malformed { side: side_of(side), reason },
        What::Closed => WireWhat::Closed,
        _ => unreachable!("every event of the wire has its record"),
    }
}

fn phase_of(phase: racetrap_wire::Phase) -> Phase {
    match phase {
        racetrap_wire::Phase::Bootstrap => Phase::Bootstrap,
        racetrap_wire::Phase::Steady => Phase::Steady,
        racetrap_wire::Phase::Reconnect => Phase::Reconnect,
    }
}

fn point_of(point: racetrap_wire::Point) -> Point {
    match point {
        racetrap_wire::Point::Request => Point::Request,
        racetrap_wire::Point::Response => Point::Response,
        racetrap_wire::Point::Frame => Point::Frame,
    }
}

fn side_of(side: Side) -> WireSide {
    match side {
        Side::Client => WireSide::Client,
        Side::Upstream => WireSide::Upstream,
    }
}
