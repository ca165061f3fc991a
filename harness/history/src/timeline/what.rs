//! Each kind of record as a line of text.

use std::collections::BTreeMap;

use serde_json::Value;

use super::logs;
use super::step::step_line;
use crate::record::{
    ApiChange, Change, CommandRun, EngineState, Review, RunHeader, UserWrite, What, WireMessage,
    WireWhat,
};
use crate::steps::Steps;
use crate::view::AppView;

/// What the text of a record needs besides the record itself.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Method and target of each exchange on the record's wire.
    pub(super) requests: &'a BTreeMap<u64, String>,
    /// The scenario's steps.
    pub(super) steps: Steps<'a>,
}

/// The source of a record, in one word, and its text.
pub(super) fn describe(what: &What, context: Context<'_>) -> (&'static str, String) {
    let requests = context.requests;
    match what {
        What::Run(header) => ("run", run(header)),
        What::Facts { daemon_version, engine, .. } => {
            ("run", format!("daemon {daemon_version}, engine {engine}"))
        }
        What::Unmade { why } => ("run", format!("the world could not be made: {why}")),
        What::NotApplicable { why } => ("run", format!("not applicable: {why}")),
        What::StepBegan { index } => {
            let step = context.steps.get(*index).map(step_line).unwrap_or_default();
            ("step", format!("{}. {step}", index + 1))
        }
        What::StepDone { index } => ("step", format!("{}. done", index + 1)),
        What::StepFailed { index, why, .. } => ("step", format!("{}. FAILED: {why}", index + 1)),
        What::Wire(message) => ("wire", wire(message, requests)),
        What::ApiWire(message) => ("clients", wire(message, requests)),
        What::UserWire(message) => ("user", wire(message, requests)),
        What::KubernetesWire(message) => ("kubernetes", wire(message, requests)),
        What::Kubernetes { state } => {
            ("kubernetes", format!("the guest's Kubernetes is {}", state.word()))
        }
        What::Kubeconfig(file) => ("kubernetes", file.to_string()),
        What::Endpoint { address, .. } => ("user", endpoint(address.as_deref())),
        What::DockerUser(user) => ("docker", format!("the daemon's context is {}", user.context)),
        What::DockerFile(file) => ("docker", file.to_string()),
        What::UserCommand(command) => ("user", command.to_string()),
        What::Review(Review { operation, resource, name, manager, outcome }) => {
            let manager = manager.as_deref().unwrap_or("an unnamed writer");
            ("write", format!("{operation} {resource} {name} by {manager}: {outcome}"))
        }
        What::UserWrite(write) => ("user", user_write(write)),
        What::Log { level, text } => ("log", format!("{level:?}: {text}")),
        What::CommandBegan { name, arguments } => {
            let command = arguments.join(" ");
            ("command", format!("`{command}` runs in the background as `{name}`"))
        }
        What::Engine(event) => {
            ("engine", format!("{} {} {}", event.object, event.action, event.id))
        }
        What::Truth(state) => ("engine", truth(state)),
        What::Api(change) => ("api", api(change)),
        What::Listed { resource, version, objects } => {
            ("api", format!("listed {} {resource} at version {version}", objects.len()))
        }
        What::Command(CommandRun { arguments, exit, took_ms, .. }) => {
            let (command, exit) = (arguments.join(" "), exit.predicate());
            ("command", format!("`{command}` {exit} after {took_ms} ms"))
        }
        What::LogClient(client) => ("logs", logs::client(client)),
        What::LogSent(sent) => ("logs", logs::sent(sent)),
        What::LogTruth(truth) => ("logs", logs::truth(truth)),
        What::LogCrowd(crowd) => ("logs", logs::crowd(crowd)),
        What::Footprint(footprint) => ("logs", logs::footprint(footprint)),
        What::Turn { of } => ("turn", of.clone()),
        What::Announced { passthroughs } => ("daemon", announced(passthroughs)),
        What::Process { name, pid, state, .. } => ("process", format!("{name} {pid} {state:?}")),
        What::VmProcess(process) => ("vm", process.to_string()),
        What::VmFiles(files) => ("vm", files.to_string()),
        What::WslCall(call) => ("wsl", call.to_string()),
        What::Checkpoint { number, stage } => ("judge", format!("checkpoint {number} {stage:?}")),
        What::WatchLost { resource, reason } => ("api", format!("watch of {resource}: {reason}")),
        What::Leak { text, .. } => ("leak", text.clone()),
        // The text has the name already in place of the ID.
        What::Named { name, .. } => ("engine", format!("made {name}, which a step named")),
        What::Note { text } => ("note", text.clone()),
        What::Ending => ("run", "the harness begins to end".to_owned()),
        What::Ended => ("run", "world closed".to_owned()),
    }
}

fn endpoint(address: Option<&str>) -> String {
    match address {
        Some(address) => format!("the user's engine runs at {address}"),
        None => "the user's engine does not run any more".to_owned(),
    }
}

/// The scenario, the daemon, and how often the world was used.
fn run(header: &RunHeader) -> String {
    let RunHeader { finding, daemon, vm, reused, .. } = header;
    let nth = match reused {
        0 => String::new(),
        runs => format!(", run {} in its world", runs + 1),
    };
    format!("{finding} on {daemon}, VM mode {vm}{nth}")
}

fn announced(passthroughs: &BTreeMap<String, Vec<String>>) -> String {
    let lists = passthroughs.iter().map(|(name, list)| format!("{name}: {}", list.join(", ")));
    format!("announces {}", lists.collect::<Vec<_>>().join("; "))
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

fn wire(message: &WireMessage, requests: &BTreeMap<u64, String>) -> String {
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
            let kubernetes = if app.wants_kubernetes {
                app.describe("KubernetesReady") + "; "
            } else {
                String::new()
            };
            format!(
                "{kubernetes}{}; {}",
                app.describe("ContainerEngineReady"),
                app.describe("Settled")
            )
        }
        // A new mirror has no status yet.
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
