//! What goes wrong in a step.

use racetrap_history::{
    ClockJump, DaemonOp, DaemonStep, DiskOp, DockerCommand, DockerFileStep, DockerStep, EndpointOp,
    EngineOp, Fault, FaultKind, FaultStep, FileOp, GuestDisk, GuestMemory, GuestOp, Moment, OURS,
    Streams, VmOp, VmProcessOp, VmRole, WslOp, WslStep,
};

use super::messages::{request, write};
use super::step::Told;

/// What a step does to messages, connections or writes.
pub(super) fn disturbance(step: &FaultStep) -> Told {
    let count = |times: &Option<u32>| {
        times.map(|times| if times == 1 { ", once".to_owned() } else { format!(", {times} times") })
    };
    Told::Fault(match step {
        FaultStep::Cut(Streams::Events) => "the event stream is cut".to_owned(),
        FaultStep::Cut(Streams::All) => "all connections are cut".to_owned(),
        FaultStep::Cut(Streams::Kubernetes) => {
            "the connections to the guest's Kubernetes are cut".to_owned()
        }
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
        FaultStep::Lift(name) => format!("the fault `{name}` ends"),
        FaultStep::Record { name, on } => {
            return Told::Aside(format!("keep the response to {} as `{name}`", request(on)));
        }
        FaultStep::Happened(name) => {
            return Told::Aside(format!("wait until the fault `{name}` has happened"));
        }
    })
}

/// What happens to the docker command's configuration, or what its user does.
pub(super) fn docker(step: &DockerStep) -> Told {
    match step {
        DockerStep::Run(docker) => Told::Action(command(docker)),
        DockerStep::Endpoint(EndpointOp::Unix) => {
            Told::Action("the user's engine is at a socket".to_owned())
        }
        DockerStep::Endpoint(EndpointOp::Tcp) => {
            Told::Action("the user's engine is at a port".to_owned())
        }
        DockerStep::Endpoint(EndpointOp::Default) => {
            Told::Action("the user's engine is at `default`".to_owned())
        }
        DockerStep::Endpoint(EndpointOp::Gone) => Told::Fault("the user's engine ends".to_owned()),
        DockerStep::File(file) => Told::Fault(file_state(file)),
        DockerStep::Disk(op) => Told::Fault(disk(*op).to_owned()),
        // The story tells these when they have happened.
        DockerStep::KillAt(moment) => {
            Told::Aside(format!("the daemon is to be killed {}", instant(*moment)))
        }
        DockerStep::FreezeAt(moment) => {
            Told::Aside(format!("the daemon is to be frozen {}", instant(*moment)))
        }
        DockerStep::Killed => {
            Told::Fault(format!("the daemon is killed {}", instant(Moment::ConfigWrite)))
        }
        DockerStep::Frozen => {
            Told::Fault(format!("the daemon is frozen {}", instant(Moment::ConfigWrite)))
        }
    }
}

fn command(docker: &DockerCommand) -> String {
    let times = match docker.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    format!("docker {}{times}", docker.arguments.join(" "))
}

fn disk(op: DiskOp) -> &'static str {
    match op {
        DiskOp::Full => "the configuration's disk is full",
        DiskOp::ReadOnly => "nothing can be written to the configuration's disk",
        DiskOp::Normal => "the configuration's disk is as before",
    }
}

fn instant(moment: Moment) -> &'static str {
    match moment {
        Moment::ConfigWrite => "as it begins to write config.json",
    }
}

/// What happens to the daemon's process or to its VM.
pub(super) fn daemon(step: &DaemonStep) -> &'static str {
    match step {
        DaemonStep::Vm(VmOp::Wait) => "the VM does not carry out requests",
        DaemonStep::Vm(VmOp::Go) => "the VM carries out requests again",
        DaemonStep::Process(DaemonOp::Kill) => "the daemon is killed",
        DaemonStep::Process(DaemonOp::Stop) => "the daemon is stopped",
        DaemonStep::Process(DaemonOp::Start) => "the daemon is started again",
        DaemonStep::Process(DaemonOp::Freeze) => "the daemon is frozen",
        DaemonStep::Process(DaemonOp::Thaw) => "the daemon is thawed",
        DaemonStep::Process(DaemonOp::StopLate) => "the frozen daemon does not stop in time",
        DaemonStep::VmProcess(step) => match (step.of, step.op) {
            (VmRole::Driver, VmProcessOp::Kill) => "the VM's driver is killed",
            (VmRole::Driver, VmProcessOp::Freeze) => "the VM's driver is frozen",
            (VmRole::Driver, VmProcessOp::Thaw) => "the VM's driver is thawed",
            (_, VmProcessOp::Kill) => "the VM's hostagent is killed",
            (_, VmProcessOp::Freeze) => "the VM's hostagent is frozen",
            (_, VmProcessOp::Thaw) => "the VM's hostagent is thawed",
        },
        DaemonStep::Bystander(_) => "innocent processes get the IDs of the VM's pid files",
        DaemonStep::SshKeys(_) => "the SSH keys of the VM's user are spoilt",
        DaemonStep::Wsl(WslStep { op: WslOp::Hangs, .. }) => "wsl.exe is to hang at its next call",
        DaemonStep::Wsl(WslStep { op: WslOp::Fails, .. }) => "wsl.exe is to fail at its next call",
        DaemonStep::Wsl(WslStep { op: WslOp::Slow, .. }) => {
            "wsl.exe is to be slow at its next call"
        }
    }
}

/// What happens to the engine's process.
pub(super) fn engine(op: EngineOp) -> &'static str {
    match op {
        EngineOp::Kill => "the engine is killed",
        EngineOp::Stop => "the engine is stopped",
        EngineOp::Start => "the engine is started again",
        EngineOp::Freeze => "the engine is frozen",
        EngineOp::Thaw => "the engine is thawed",
    }
}

/// What happens to the machine that runs the engine.
pub(super) fn guest(op: GuestOp) -> String {
    let told = match op {
        GuestOp::PowerCut => "the engine's machine loses its power",
        GuestOp::PowerOn => "the engine's machine boots",
        GuestOp::Reset => "the engine's machine is reset",
        GuestOp::Pause => "the engine's machine is paused",
        GuestOp::Resume => "the engine's machine goes on",
        GuestOp::NicDown => "the engine's network is unplugged",
        GuestOp::NicUp => "the engine's network is plugged in again",
        GuestOp::KillForward => "the forward of the engine's socket is killed",
        GuestOp::Forward => "the engine's socket is forwarded again",
        GuestOp::KillHostagent => "the daemon's hostagent is killed",
        GuestOp::Panic => "the kernel of the engine's machine panics",
        GuestOp::Clock(ClockJump::AheadS(seconds)) => {
            return format!("the clock of the engine's machine jumps ahead by {seconds} s");
        }
        GuestOp::Clock(ClockJump::BehindS(seconds)) => {
            return format!("the clock of the engine's machine jumps back by {seconds} s");
        }
        GuestOp::Disk(GuestDisk::Failing) => "writes to the engine's disk fail",
        GuestOp::Disk(GuestDisk::Full) => "the host has no room for the engine's disk",
        GuestOp::Disk(GuestDisk::Slow) => "the engine's disk is slow",
        GuestOp::Disk(GuestDisk::Normal) => "the engine's disk works again",
        GuestOp::Memory(GuestMemory::Scarce) => "the engine's machine has hardly any memory left",
        GuestOp::Memory(GuestMemory::Normal) => "the engine's machine has its memory again",
    };
    told.to_owned()
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
