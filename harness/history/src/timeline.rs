//! A history as text that a person reads from top to bottom.

use serde_json::Value;

use crate::record::{LogLevel, Review, UserWrite, WireMessage, WireWhat};
use crate::{ApiChange, AppView, Change, Record, View, What};

/// One line a record; records that say nothing to a reader are left out.
#[must_use]
pub fn lines(history: &[Record]) -> Vec<String> {
    let mut views = [View::default(), View::default()];
    let mut requests: [[Requests; 2]; 2] = Default::default();
    history
        .iter()
        .filter_map(|record| {
            let view = &mut views[usize::from(record.neighbour)];
            view.apply(record);
            // Each wire counts its exchanges for itself.
            let requests = &mut requests[usize::from(record.neighbour)]
                [usize::from(matches!(record.what, What::ApiWire(_)))];
            if let What::Wire(WireMessage {
                exchange,
                event: WireWhat::Request { method, target, .. },
                ..
            })
            | What::ApiWire(WireMessage {
                exchange,
                event: WireWhat::Request { method, target, .. },
                ..
            }) = &record.what
            {
                requests.insert(*exchange, format!("{method} {target}"));
            }
            let (lane, text) = describe(&record.what, requests)?;
            let text = view.named(&text);
            let text = if record.neighbour { format!("the neighbour: {text}") } else { text };
            let seconds = record.at_us as f64 / 1e6;
            Some(format!("{seconds:>9.3}s {:>5}  {lane:<7} {text}", record.seq))
        })
        .collect()
}

type Requests = std::collections::BTreeMap<u64, String>;

fn describe(what: &What, requests: &Requests) -> Option<(&'static str, String)> {
    Some(match what {
        What::Run(header) => {
            let nth = match header.reused {
                0 => String::new(),
                runs => format!(", run {} in its world", runs + 1),
            };
            ("run", format!("{} on {}, VM mode {}{nth}", header.finding, header.daemon, header.vm))
        }
        What::Facts { daemon_version, engine } => {
            ("run", format!("daemon {daemon_version}, engine {engine}"))
        }
        What::StepBegan { index, text } => ("step", format!("{}. {text}", index + 1)),
        What::StepFailed { index, why, .. } => ("step", format!("{}. FAILED: {why}", index + 1)),
        What::Wire(message) => ("wire", wire(message, requests)?),
        What::ApiWire(message) => ("clients", wire(message, requests)?),
        What::Review(Review { operation, resource, name, manager, outcome }) => {
            let manager = manager.as_deref().unwrap_or("somebody");
            ("write", format!("{operation} {resource} {name} by {manager}: {outcome}"))
        }
        What::UserWrite(write) => ("user", user_write(write)),
        What::Log { level: LogLevel::Info, .. } => return None,
        What::Log { level, text } => ("log", format!("{level:?}: {text}")),
        What::CommandBegan { name, arguments } => {
            ("command", format!("`{}` goes on as `{name}`", arguments.join(" ")))
        }
        What::Engine(event) => {
            ("engine", format!("{} {} {}", event.object, event.action, event.id))
        }
        What::Api(change) => ("api", api(change)?),
        What::Command(command) => (
            "command",
            format!(
                "`{}` exited {} after {} ms",
                command.arguments.join(" "),
                command.exit.map_or_else(|| "by a signal".to_owned(), |code| code.to_string()),
                command.took_ms
            ),
        ),
        What::Process { name, pid, state, .. } => ("process", format!("{name} {pid} {state:?}")),
        What::Checkpoint { number, stage } => ("judge", format!("checkpoint {number} {stage:?}")),
        What::WatchLost { resource, reason } => ("api", format!("watch of {resource}: {reason}")),
        What::Leak { text, .. } => ("leak", text.clone()),
        What::Note { text } => ("note", text.clone()),
        What::Ended => ("run", "world closed".to_owned()),
        What::StepDone { .. } | What::Truth(_) | What::Listed { .. } => return None,
    })
}

fn user_write(write: &UserWrite) -> String {
    let UserWrite { resource, name, fields, deleted, .. } = write;
    if *deleted {
        return format!("deletes {resource} {name}");
    }
    let fields: Vec<_> = fields.iter().map(|(at, value)| format!("{at}={value}")).collect();
    format!("writes {resource} {name}: {}", fields.join(", "))
}

fn wire(message: &WireMessage, requests: &Requests) -> Option<String> {
    let request = requests.get(&message.exchange).map_or("", String::as_str);
    Some(match &message.event {
        WireWhat::Request { phase, .. } => format!("-> {request} [{phase}]"),
        WireWhat::Held { gate, point } => format!("HELD at gate `{gate}` ({point}): {request}"),
        WireWhat::Released { gate } => format!("released from gate `{gate}`: {request}"),
        WireWhat::Abandoned { gate } => format!("abandoned at gate `{gate}`: {request}"),
        WireWhat::Response { status } => format!("<- {status} {request}"),
        WireWhat::Frame { frame } => format!("<- event {}", frame_text(frame)),
        WireWhat::Faulted { rule, fault } => format!("FAULT {rule}: {fault}: {request}"),
        WireWhat::Cut => format!("CUT {request}"),
        WireWhat::Refused => "REFUSED a connection".to_owned(),
        WireWhat::UpstreamLost { reason } => format!("engine lost: {reason}: {request}"),
        WireWhat::Malformed { side, reason } => format!("malformed from {side}: {reason}"),
        WireWhat::Upgraded => format!("upgraded {request}"),
        WireWhat::Opened | WireWhat::Finished { .. } | WireWhat::Closed => return None,
    })
}

fn frame_text(frame: &Value) -> String {
    let part = |pointer| frame.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    format!("{} {} {}", part("/Type"), part("/Action"), part("/Actor/ID"))
}

fn api(change: &ApiChange) -> Option<String> {
    let text = |pointer: &str| change.object.pointer(pointer).and_then(Value::as_str);
    let verb = match change.change {
        Change::Added => "added",
        Change::Modified => "modified",
        Change::Deleted => "DELETED",
    };
    let name = text("/metadata/name").unwrap_or("?");
    let detail = match change.resource.as_str() {
        "apps" => {
            let app = AppView::read(&change.object);
            format!("{}; {}", app.describe("ContainerEngineReady"), app.describe("Settled"))
        }
        "containers" => format!(
            "{} {}",
            text("/status/name").unwrap_or("(no status)"),
            text("/status/status").unwrap_or_default()
        ),
        "images" => text("/status/repoTag").unwrap_or("(no tag)").to_owned(),
        "volumes" => text("/status/name").unwrap_or("(no status)").to_owned(),
        "configmaps" => return None,
        _ => String::new(),
    };
    Some(format!("{verb} {} {name} {detail}", change.resource).trim_end().to_owned())
}
