//! The schedule of a scenario in a few lines: which messages were held, what was done meanwhile,
//! and which faults were injected.

use racetrap_history::{
    ApiStep, BuildImage, CommandStep, ContainerOp, DaemonOp, DaemonStep, DiskOp, DockerFileStep,
    DockerStep, EndpointOp, EngineOp, EngineStep, Fault, FaultKind, FaultStep, FileOp, GateName,
    GateStep, GuestOp, Hold, Match, NeighbourStep, OURS, Prune, Scenario, Step, Streams, VmOp,
    WriteMatch,
};

/// One line of a story: a label, and what happened.
pub(crate) type StoryLine = (&'static str, String);

/// The story of a scenario. Steps before the first gate or fault only set the scene, so they are
/// left out. A scenario without any gate or fault gets one line with everything that it does while
/// the App runs.
pub(crate) fn story(scenario: &Scenario) -> Vec<StoryLine> {
    let mut lines = Vec::new();
    let mut done: Vec<String> = Vec::new();
    let mut standing: Vec<&GateName> = Vec::new();
    for step in &scenario.steps {
        // A gate holds a message from the step that waits for it, and not from the step that arms
        // it.
        if let Step::Gate(GateStep::Reached(gate)) = step {
            flush(&mut lines, &mut done, &standing);
            standing.push(gate);
            lines.push(("held", held(scenario, gate)));
        } else if let Step::Gate(GateStep::Release(gate)) = step {
            // Before the gate leaves the list, so that earlier actions are labelled "meanwhile".
            flush(&mut lines, &mut done, &standing);
            standing.retain(|standing| *standing != gate);
        } else if let Some(fault) = fault(step) {
            flush(&mut lines, &mut done, &standing);
            lines.push(("fault", fault));
        } else if (!standing.is_empty() || lines.iter().any(|(label, _)| *label == "fault"))
            && let Some(action) = action(step)
        {
            done.push(action);
        }
    }
    flush(&mut lines, &mut done, &standing);
    if lines.is_empty() {
        // Earlier steps prepare the engine, before the daemon watches it.
        let watched = scenario.steps.iter().skip_while(|step| !starts_app(step));
        let actions: Vec<_> = watched.filter_map(action).collect();
        lines.push(("done", actions.join("; ")));
    }
    folded(&lines)
}

/// Folds one or several lines that come at least three times in a row into their first time, and a
/// line that counts the others.
fn folded(lines: &[StoryLine]) -> Vec<StoryLine> {
    let mut folded = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() {
        let times =
            |length| rest.chunks_exact(length).take_while(|it| *it == &rest[..length]).count();
        let mut cycles = (1..=rest.len() / 3).map(|length| (length, times(length)));
        // The shortest cycle with at least three rounds.
        let (length, times) = cycles.find(|(_, times)| *times > 2).unwrap_or((1, 1));
        folded.extend_from_slice(&rest[..length]);
        if times > 1 {
            let what = if length == 1 { "the same".to_owned() } else { format!("these {length}") };
            folded.push(("repeated", format!("{what}, {} times more", times - 1)));
        }
        rest = &rest[length * times..];
    }
    folded
}

/// Adds a line for the actions since the last line. `standing` are the gates that hold a message
/// now.
fn flush(lines: &mut Vec<StoryLine>, done: &mut Vec<String>, standing: &[&GateName]) {
    if !done.is_empty() {
        let label = if standing.is_empty() { "then" } else { "meanwhile" };
        lines.push((label, done.join("; ")));
        done.clear();
    }
}

fn starts_app(step: &Step) -> bool {
    matches!(step, Step::Command(CommandStep::App(app)) if app.running)
}

fn held(scenario: &Scenario, gate: &GateName) -> String {
    let mut held = scenario.steps.iter().filter_map(|step| armed(step, gate));
    // The check of a scenario ensures that each gate is armed, so this is only for journals of
    // other versions.
    held.next().unwrap_or_else(|| gate.to_string())
}

/// What this step holds at a gate, if it arms that gate.
fn armed(step: &Step, gate: &GateName) -> Option<String> {
    let Step::Gate(step) = step else { return None };
    match step {
        GateStep::Hold(hold) => (hold.gate == *gate).then(|| message(hold)),
        GateStep::HoldWrite(hold) => (hold.gate == *gate).then(|| write(&hold.on)),
        GateStep::Reached(_) | GateStep::Release(_) => None,
    }
}

/// A write to the daemon's API that the harness's admission holds or denies.
fn write(on: &WriteMatch) -> String {
    let operation = on.operation.as_deref().unwrap_or("write");
    let name = on.name.as_deref().map(shown).map(|name| format!(" {name}")).unwrap_or_default();
    let manager = on.manager.as_ref().map(|manager| format!(" by {manager}")).unwrap_or_default();
    format!("{operation} of {}{name}{manager}, before it is stored", on.resource)
}

/// An alias such as `$one` is shown as `<one>`, as in timelines. Other values are shown as they
/// are.
fn shown(value: &str) -> String {
    value.strip_prefix('$').map_or_else(|| value.to_owned(), |alias| format!("<{alias}>"))
}

fn message(hold: &Hold) -> String {
    let on = &hold.on;
    let nth = on.nth.filter(|nth| *nth > 1).map(|nth| format!(", number {nth}"));
    format!("{}, its {}{}", request(on), hold.at, nth.unwrap_or_default())
}

/// The request that a match describes, with the parameters inserted into the route.
fn request(on: &Match) -> String {
    let mut route = on.route.clone().unwrap_or_else(|| "any request".to_owned());
    for (name, value) in &on.params {
        route = route.replace(&format!("{{{name}}}"), &shown(value));
    }
    match &on.method {
        Some(method) => format!("{method} {route}"),
        None => route,
    }
}

/// What a step breaks, in words; nothing, if it breaks nothing.
fn fault(step: &Step) -> Option<String> {
    match step {
        Step::Fault(step) => disturbance(step),
        Step::Docker(step) => accident(step),
        Step::Daemon(step) => Some(daemon(step).to_owned()),
        Step::Engine(EngineStep::Process(op)) => Some(engine(*op).to_owned()),
        Step::Engine(EngineStep::Guest(op)) => Some(guest(*op).to_owned()),
        Step::Api(ApiStep::Keep(mirror)) => {
            Some(format!("somebody else's finalizer keeps {mirror}"))
        }
        Step::Api(ApiStep::LetGo(mirror)) => {
            Some(format!("the foreign finalizer of {mirror} is removed"))
        }
        Step::Command(CommandStep::Interrupt(command)) => {
            Some(format!("SIGINT to the command `{command}`"))
        }
        Step::Engine(_)
        | Step::Api(_)
        | Step::Command(_)
        | Step::Gate(_)
        | Step::Log(_)
        | Step::Neighbour(_)
        | Step::Wait(_) => None,
    }
}

fn disturbance(step: &FaultStep) -> Option<String> {
    let count = |times: &Option<u32>| times.map(|times| format!(", {times} times"));
    Some(match step {
        FaultStep::Cut(Streams::Events) => "the event stream is cut".to_owned(),
        FaultStep::Cut(Streams::All) => "all connections are cut".to_owned(),
        FaultStep::Cut(Streams::Watches) => "the watches of all clients are cut".to_owned(),
        FaultStep::Refuse => "new connections are refused".to_owned(),
        FaultStep::Accept => "connections are accepted again".to_owned(),
        FaultStep::Answer { status, body, on, times, .. } => {
            let times = count(times).unwrap_or_default();
            let body = body.as_ref().map(|body| format!(" and {body}")).unwrap_or_default();
            format!("{} is answered {status}{body}{times}", request(on))
        }
        FaultStep::Fault(Fault { kind, on, times, .. }) => {
            let times = count(times).unwrap_or_default();
            format!("{}: {}{times}", request(on), deed(kind))
        }
        FaultStep::DenyWrite { on, .. } => format!("{}: denied", write(on)),
        FaultStep::Inject { frame } => {
            format!("the wire adds a frame to the event stream: {frame}")
        }
        FaultStep::ReplaceSocket => "the engine's socket becomes another file".to_owned(),
        FaultStep::Happened(_) | FaultStep::Lift(_) | FaultStep::Record { .. } => return None,
    })
}

fn accident(step: &DockerStep) -> Option<String> {
    Some(match step {
        DockerStep::Endpoint(EndpointOp::Gone) => "the user's engine ends".to_owned(),
        DockerStep::File(file) => file_state(file),
        DockerStep::Disk(op) => match op {
            DiskOp::Full => "the configuration's disk is full".to_owned(),
            DiskOp::ReadOnly => "nothing can be written to the configuration's disk".to_owned(),
            DiskOp::Normal => "the configuration's disk is as before".to_owned(),
        },
        DockerStep::Killed => "the daemon is killed as it begins to write config.json".to_owned(),
        DockerStep::Frozen => "the daemon is frozen as it begins to write config.json".to_owned(),
        DockerStep::Run(_)
        | DockerStep::Endpoint(EndpointOp::Unix | EndpointOp::Tcp | EndpointOp::Default)
        | DockerStep::KillAt(_)
        | DockerStep::FreezeAt(_) => return None,
    })
}

fn daemon(step: &DaemonStep) -> &'static str {
    match step {
        DaemonStep::Vm(VmOp::Wait) => "the VM does not carry out requests",
        DaemonStep::Vm(VmOp::Go) => "the VM carries out requests again",
        DaemonStep::Process(DaemonOp::Kill) => "the daemon is killed",
        DaemonStep::Process(DaemonOp::Stop) => "the daemon is stopped",
        DaemonStep::Process(DaemonOp::Start) => "the daemon is started again",
        DaemonStep::Process(DaemonOp::Freeze) => "the daemon is frozen",
        DaemonStep::Process(DaemonOp::Thaw) => "the daemon is thawed",
    }
}

fn engine(op: EngineOp) -> &'static str {
    match op {
        EngineOp::Kill => "the engine is killed",
        EngineOp::Stop => "the engine is stopped",
        EngineOp::Start => "the engine is started again",
        EngineOp::Freeze => "the engine is frozen",
        EngineOp::Thaw => "the engine is thawed",
    }
}

fn guest(op: GuestOp) -> &'static str {
    match op {
        GuestOp::PowerCut => "the engine's machine loses its power",
        GuestOp::PowerOn => "the engine's machine boots",
        GuestOp::Reset => "the engine's machine is reset",
        GuestOp::Pause => "the engine's machine is paused",
        GuestOp::Resume => "the engine's machine goes on",
        GuestOp::NicDown => "the engine's network is unplugged",
        GuestOp::NicUp => "the engine's network is plugged in again",
        GuestOp::KillForward => "the forward of the engine's socket is killed",
        GuestOp::Forward => "the engine's socket is forwarded again",
    }
}

/// What a user does in a step, in words; nothing, if no user does anything.
fn action(step: &Step) -> Option<String> {
    match step {
        Step::Engine(step) => used(step),
        Step::Api(step) => asked(step),
        Step::Command(CommandStep::App(app)) => (!app.running).then(|| "stop the App".to_owned()),
        Step::Command(CommandStep::Set(set)) => {
            let properties = set.properties.iter().map(|(path, value)| format!("{path}={value}"));
            Some(format!("set {}", properties.collect::<Vec<_>>().join(" ")))
        }
        Step::Command(CommandStep::RunCommand(command)) => {
            Some(format!("run `{}`", command.arguments.join(" ")))
        }
        Step::Docker(DockerStep::Run(docker)) => {
            Some(format!("docker {}", docker.arguments.join(" ")))
        }
        Step::Docker(DockerStep::Endpoint(op)) => match op {
            EndpointOp::Unix => Some("the user's engine is at a socket".to_owned()),
            EndpointOp::Tcp => Some("the user's engine is at a port".to_owned()),
            EndpointOp::Default => Some("the user's engine is at `default`".to_owned()),
            EndpointOp::Gone => None,
        },
        Step::Neighbour(NeighbourStep::Does(step)) => {
            action(step).map(|action| format!("the neighbour: {action}"))
        }
        Step::Command(_)
        | Step::Docker(_)
        | Step::Daemon(_)
        | Step::Fault(_)
        | Step::Gate(_)
        | Step::Log(_)
        | Step::Wait(_) => None,
    }
}

/// What a user of the engine does.
fn used(step: &EngineStep) -> Option<String> {
    let forced = |force: &bool| if *force { ", forced" } else { "" };
    Some(match step {
        EngineStep::LoadImage { image, tags, .. } if tags.is_empty() => {
            format!("load {image} without a tag")
        }
        EngineStep::LoadImage { image, tags, .. } => format!("load {image} as {}", tags.join(", ")),
        EngineStep::Tag { image, tag } => format!("tag {image} as {tag}"),
        EngineStep::Untag { tag, force } => format!("untag {tag}{}", forced(force)),
        EngineStep::RemoveImage { image, force } => {
            format!("remove image {image}{}", forced(force))
        }
        EngineStep::Build(BuildImage { image, from, tag, .. }) => {
            format!("build {image} from {from}{}", tagged(tag.as_deref()))
        }
        EngineStep::Commit { container, image, tag } => {
            format!("commit container {container} as {image}{}", tagged(tag.as_deref()))
        }
        EngineStep::Prune(Prune::Containers) => "prune containers".to_owned(),
        EngineStep::Prune(Prune::Images) => "prune images without a tag".to_owned(),
        EngineStep::Prune(Prune::Volumes) => "prune volumes".to_owned(),
        EngineStep::Prune(Prune::All) => "prune everything that is not used".to_owned(),
        EngineStep::CreateContainer(new) => {
            let verb = if new.start { "run" } else { "create" };
            format!("{verb} container {}", new.name)
        }
        EngineStep::Rename { name, to } => format!("rename container {name} to {to}"),
        EngineStep::Exec(exec) => {
            format!("exec {} in {}", exec.command.join(" "), exec.container)
        }
        EngineStep::Container { name, op } => format!("{} container {name}", verb(*op)),
        EngineStep::RemoveContainer { name } => format!("remove container {name}"),
        EngineStep::CreateVolume(new) => format!("create volume {}", new.name),
        EngineStep::CreateVolumes { prefix, count } => format!("create {count} volumes {prefix}…"),
        EngineStep::PrepareExecs { container, count } => {
            format!("prepare {count} execs in {container}")
        }
        EngineStep::RemoveVolumes { prefix } => format!("remove volumes {prefix}…"),
        EngineStep::RemoveVolume { name } => format!("remove volume {name}"),
        EngineStep::Process(_) | EngineStep::Guest(_) => return None,
    })
}

fn tagged(tag: Option<&str>) -> String {
    tag.map_or_else(|| ", without a tag".to_owned(), |tag| format!(", tagged {tag}"))
}

/// What a user of the daemon's API does.
fn asked(step: &ApiStep) -> Option<String> {
    Some(match step {
        ApiStep::Act { container, action } => {
            format!("ask the daemon to {} container {container}", action.verb())
        }
        ApiStep::Patch(patch) => format!("patch {}", patch.of),
        ApiStep::CreateObject(object) => {
            format!("create an object {} {}", object.resource, shown(&object.name))
        }
        ApiStep::Delete(mirror) => format!("delete {mirror}"),
        ApiStep::Touch { times } => format!("touch the App {times} times"),
        ApiStep::Keep(_) | ApiStep::LetGo(_) => return None,
    })
}

/// The effect of a fault.
fn deed(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Lose => "done, and its answer lost".to_owned(),
        FaultKind::HalfOpen { bytes } => format!("half-open after {bytes} bytes"),
        FaultKind::Slow { bytes, every_ms } => format!("{bytes} bytes each {every_ms} ms"),
        FaultKind::Truncate { bytes } => format!("its JSON cut off after {bytes} bytes"),
        FaultKind::Stale { recording } => format!("answered by `{recording}` of before"),
        FaultKind::Drop => "a frame is dropped".to_owned(),
        FaultKind::Duplicate => "a frame comes twice".to_owned(),
        FaultKind::Reorder { behind } => format!("a frame comes behind {behind} later ones"),
        FaultKind::Rewrite { set, remove, head } => {
            let set = set.iter().map(|(at, value)| format!("{at}={value}"));
            let removed = remove.iter().map(|at| format!("no {at}"));
            let fields = head.iter().map(|(name, value)| match value {
                Some(value) => format!("{name}: {value}"),
                None => format!("no {name}"),
            });
            let all: Vec<_> = set.chain(removed).chain(fields).collect();
            format!("rewritten: {}", all.join(", "))
        }
    }
}

fn verb(op: ContainerOp) -> &'static str {
    match op {
        ContainerOp::Start => "start",
        ContainerOp::Stop => "stop",
        ContainerOp::Kill => "kill",
        ContainerOp::Pause => "pause",
        ContainerOp::Unpause => "unpause",
        ContainerOp::Restart => "restart",
    }
}

/// The new state of a file of the docker command's configuration.
fn file_state(file: &DockerFileStep) -> String {
    let name = match file.context.as_deref() {
        None if file.contexts => "the directory of all contexts".to_owned(),
        None => "config.json".to_owned(),
        Some(OURS) => "the daemon's own context".to_owned(),
        Some(context) => format!("context {context}"),
    };
    let state = file.put.as_ref().map(|put| put_state(&name, put));
    let owner = file.owner.map(|owner| format!("{name} belongs to user {owner}"));
    let mode = file.mode.as_ref().map(|mode| format!("{name} has mode {mode}"));
    state.into_iter().chain(owner).chain(mode).collect::<Vec<_>>().join("; ")
}

fn put_state(name: &str, put: &FileOp) -> String {
    match put {
        FileOp::Text(text) if text.is_empty() => format!("{name} is empty"),
        FileOp::Text(text) => format!("{name} is {text}"),
        FileOp::Directory => format!("a directory is in the place of {name}"),
        FileOp::Link => format!("{name} is a link"),
        FileOp::RelativeLink => format!("{name} is a relative link"),
        FileOp::DanglingLink => format!("{name} is a link to a file that is not there"),
        FileOp::LoopingLink => format!("{name} is a link to itself"),
        FileOp::HardLink => format!("{name} is a second name of another file"),
        FileOp::Padded(kib) => format!("{name} has {kib} KiB more"),
        FileOp::Gone => format!("{name} is gone"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{StoryLine, folded};

    // Each letter stands for a line. Two equal lines are not folded. The shortest cycle is folded,
    // and lines after it stay as they are, even if they begin the cycle once more.
    #[rstest]
    #[case::nothing("", "")]
    #[case::twice("aab", "aab")]
    #[case::one_line("caaaab", "ca(the same, 3 times more)b")]
    #[case::two_lines("abababac", "ab(these 2, 2 times more)ac")]
    #[case::shortest("aaaaaa", "a(the same, 5 times more)")]
    fn what_comes_again_and_again_is_told_once(#[case] lines: &str, #[case] told: &str) {
        let lines: Vec<StoryLine> = lines.chars().map(|line| ("fault", line.to_string())).collect();
        let text = folded(&lines).into_iter().map(|(label, text)| match label {
            "repeated" => format!("({text})"),
            _ => text,
        });
        assert_eq!(text.collect::<String>(), told);
    }
}
