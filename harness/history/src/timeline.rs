//! A history as text that a person reads from top to bottom.

mod logs;

use serde_json::Value;

use crate::record::{LogLevel, Review, UserWrite, WireMessage, WireWhat};
use crate::{ApiChange, AppView, Change, EngineState, Record, View, What};

/// One record as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's number.
    pub seq: u64,
    /// Its time, in microseconds since the run began.
    pub at_us: u64,
    /// Where it comes from, in one word.
    pub source: &'static str,
    /// What happened, with the scenario's names for IDs.
    pub text: String,
    /// It says little by itself, and is left out where all is read from top to bottom.
    pub quiet: bool,
}

/// One line a record; records that say nothing to a reader are left out.
#[must_use]
pub fn lines(history: &[Record]) -> Vec<String> {
    let told = entries(history).into_iter().filter(|entry| !entry.quiet);
    told.map(|Entry { seq, at_us, source, text, .. }| {
        let seconds = at_us as f64 / 1e6;
        format!("{seconds:>9.3}s {seq:>5}  {source:<7} {text}")
    })
    .collect()
}

/// Every record, in the order of the history.
#[must_use]
pub fn entries(history: &[Record]) -> Vec<Entry> {
    let mut views = [View::default(), View::default()];
    let mut requests: [[Requests; 3]; 2] = Default::default();
    let entry = |record: &Record| {
        let view = &mut views[usize::from(record.neighbour)];
        view.apply(record);
        // Each wire counts its exchanges for itself.
        let requests = &mut requests[usize::from(record.neighbour)][which_wire(&record.what)];
        if let What::Wire(WireMessage {
            exchange,
            event: WireWhat::Request { method, target, .. },
            ..
        })
        | What::UserWire(WireMessage {
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
        let (source, text) = describe(&record.what, requests);
        let text = view.named(&text);
        let text = if record.neighbour { format!("the neighbour: {text}") } else { text };
        let quiet = is_quiet(&record.what);
        Entry { seq: record.seq, at_us: record.at_us, source, text, quiet }
    };
    history.iter().map(entry).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only some records are of a wire")]
fn which_wire(what: &What) -> usize {
    match what {
        What::ApiWire(_) => 1,
        What::UserWire(_) => 2,
        _ => 0,
    }
}

type Requests = std::collections::BTreeMap<u64, String>;

/// What another record tells too, and lines that the daemon writes while all is well.
fn is_quiet(what: &What) -> bool {
    if let What::Wire(message) | What::ApiWire(message) | What::UserWire(message) = what {
        let event = &message.event;
        return matches!(event, WireWhat::Opened | WireWhat::Finished { .. } | WireWhat::Closed);
    }
    if let What::Api(change) = what {
        return change.resource == "configmaps";
    }
    matches!(
        what,
        What::StepDone { .. }
            | What::Truth(_)
            | What::Listed { .. }
            | What::DockerUser(_)
            | What::Log { level: LogLevel::Info, .. }
    )
}

fn describe(what: &What, requests: &Requests) -> (&'static str, String) {
    match what {
        What::Run(header) => {
            let nth = match header.reused {
                0 => String::new(),
                runs => format!(", run {} in its world", runs + 1),
            };
            ("run", format!("{} on {}, VM mode {}{nth}", header.finding, header.daemon, header.vm))
        }
        What::Facts { daemon_version, engine, .. } => {
            ("run", format!("daemon {daemon_version}, engine {engine}"))
        }
        What::StepBegan { index, text } => ("step", format!("{}. {text}", index + 1)),
        What::StepDone { index } => ("step", format!("{}. done", index + 1)),
        What::StepFailed { index, why, .. } => ("step", format!("{}. FAILED: {why}", index + 1)),
        What::Wire(message) => ("wire", wire(message, requests)),
        What::ApiWire(message) => ("clients", wire(message, requests)),
        What::UserWire(message) => ("user", wire(message, requests)),
        What::Endpoint { address, .. } => {
            let place = address.as_deref().unwrap_or("nowhere any more");
            ("user", format!("the user's engine is at {place}"))
        }
        What::DockerUser(user) => ("docker", format!("the daemon's context is {}", user.context)),
        What::DockerFile(file) => ("docker", file.to_string()),
        What::UserCommand(command) => ("user", command.to_string()),
        What::Review(Review { operation, resource, name, manager, outcome }) => {
            let manager = manager.as_deref().unwrap_or("somebody");
            ("write", format!("{operation} {resource} {name} by {manager}: {outcome}"))
        }
        What::UserWrite(write) => ("user", user_write(write)),
        What::Log { level, text } => ("log", format!("{level:?}: {text}")),
        What::CommandBegan { name, arguments } => {
            ("command", format!("`{}` goes on as `{name}`", arguments.join(" ")))
        }
        What::Engine(event) => {
            ("engine", format!("{} {} {}", event.object, event.action, event.id))
        }
        What::Truth(state) => ("engine", truth(state)),
        What::Api(change) => ("api", api(change)),
        What::Listed { resource, version, objects } => {
            ("api", format!("listed {} {resource} at version {version}", objects.len()))
        }
        What::Command(command) => (
            "command",
            format!(
                "`{}` exited {} after {} ms",
                command.arguments.join(" "),
                command.exit.map_or_else(|| "by a signal".to_owned(), |code| code.to_string()),
                command.took_ms
            ),
        ),
        What::LogClient(client) => ("logs", logs::client(client)),
        What::LogTruth(truth) => ("logs", logs::truth(truth)),
        What::LogCrowd(crowd) => ("logs", logs::crowd(crowd)),
        What::Footprint(footprint) => ("logs", logs::footprint(footprint)),
        What::Announced { passthroughs } => {
            let lists =
                passthroughs.iter().map(|(name, list)| format!("{name}: {}", list.join(", ")));
            ("daemon", format!("announces {}", lists.collect::<Vec<_>>().join("; ")))
        }
        What::Process { name, pid, state, .. } => ("process", format!("{name} {pid} {state:?}")),
        What::Checkpoint { number, stage } => ("judge", format!("checkpoint {number} {stage:?}")),
        What::WatchLost { resource, reason } => ("api", format!("watch of {resource}: {reason}")),
        What::Leak { text, .. } => ("leak", text.clone()),
        What::Note { text } => ("note", text.clone()),
        What::Ended => ("run", "world closed".to_owned()),
    }
}

fn truth(state: &EngineState) -> String {
    let EngineState { containers, images, volumes } = state;
    let (containers, images, volumes) = (containers.len(), images.len(), volumes.len());
    format!("holds {containers} containers, {images} images, {volumes} volumes")
}

fn user_write(write: &UserWrite) -> String {
    let UserWrite { resource, name, fields, deleted, .. } = write;
    if *deleted {
        return format!("deletes {resource} {name}");
    }
    let fields: Vec<_> = fields.iter().map(|(at, value)| format!("{at}={value}")).collect();
    format!("writes {resource} {name}: {}", fields.join(", "))
}

fn wire(message: &WireMessage, requests: &Requests) -> String {
    let request = requests.get(&message.exchange).map_or("", String::as_str);
    let connection = message.connection;
    match &message.event {
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
        WireWhat::Finished { bytes } => format!("finished after {bytes} bytes: {request}"),
        WireWhat::Opened => format!("connection {connection} opened"),
        WireWhat::Closed => format!("connection {connection} closed"),
    }
}

fn frame_text(frame: &Value) -> String {
    let part = |pointer| frame.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    format!("{} {} {}", part("/Type"), part("/Action"), part("/Actor/ID"))
}

fn api(change: &ApiChange) -> String {
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
        _ => String::new(),
    };
    format!("{verb} {} {name} {detail}", change.resource).trim_end().to_owned()
}
