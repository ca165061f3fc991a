//! Writes a record of every kind to a journal and reads it back.
//!
//! Each list of kinds is a match without a wildcard. If somebody adds a kind, this file does not compile
//! until the kind is in the list, and the test fails until the kind has a record.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{
    ApiChange, Blame, Change, Codes, CommandRun, DaemonKind, DockerContent, DockerFile, DockerUser,
    EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume, Exit, FileAttributes,
    FileChange, Footprint, GateName, Kubeconfig, KubeconfigContent, KubernetesState, LeaveHow,
    LogClient, LogCrowdSeen, LogEvent, LogLevel, LogSent, LogTruth, Owner, Phase, Point,
    ProcessState, Record, Review, ReviewOutcome, RunHeader, SentStream, SshKeys, Stage,
    StatusCount, UserCommand, UserCommandEnd, UserWrite, VmFiles, VmListener, VmMode, VmProcess,
    VmProcessChange, VmRole, What, WireMessage, WireSide, WireWhat, WslCall, WslChange, WslCommand,
    WslDistribution, journal,
};
use serde_json::{Value, json};

/// Declares a list with the names of all kinds of a type, and a function that returns the kind of a value.
macro_rules! kinds {
    ($function:ident, $type:ty, $all:ident: $($pattern:pat => $name:literal,)+) => {
        const $all: &[&str] = &[$($name),+];

        fn $function(of: &$type) -> &'static str {
            match of {
                $($pattern => $name,)+
            }
        }
    };
}

kinds! { of_what, What, WHATS:
    What::Run(_) => "run",
    What::Facts { .. } => "facts",
    What::Unmade { .. } => "unmade",
    What::NotApplicable { .. } => "not_applicable",
    What::StepBegan { .. } => "step_began",
    What::StepDone { .. } => "step_done",
    What::StepFailed { .. } => "step_failed",
    What::Wire(_) => "wire",
    What::ApiWire(_) => "api_wire",
    What::UserWire(_) => "user_wire",
    What::KubernetesWire(_) => "kubernetes_wire",
    What::Kubernetes { .. } => "kubernetes",
    What::Kubeconfig(_) => "kubeconfig",
    What::Endpoint { .. } => "endpoint",
    What::DockerUser(_) => "docker_user",
    What::DockerFile(_) => "docker_file",
    What::UserCommand(_) => "user_command",
    What::Review(_) => "review",
    What::UserWrite(_) => "user_write",
    What::Log { .. } => "log",
    What::Engine(_) => "engine",
    What::Truth(_) => "truth",
    What::Api(_) => "api",
    What::Listed { .. } => "listed",
    What::WatchLost { .. } => "watch_lost",
    What::CommandBegan { .. } => "command_began",
    What::Command(_) => "command",
    What::LogClient(_) => "log_client",
    What::LogSent(_) => "log_sent",
    What::LogTruth(_) => "log_truth",
    What::LogCrowd(_) => "log_crowd",
    What::Footprint(_) => "footprint",
    What::Announced { .. } => "announced",
    What::Turn { .. } => "turn",
    What::Process { .. } => "process",
    What::VmProcess(_) => "vm_process",
    What::VmFiles(_) => "vm_files",
    What::WslCall(_) => "wsl_call",
    What::Checkpoint { .. } => "checkpoint",
    What::Leak { .. } => "leak",
    What::Named { .. } => "named",
    What::Note { .. } => "note",
    What::Ending => "ending",
    What::Ended => "ended",
}

kinds! { of_wire, WireWhat, WIRES:
    WireWhat::Opened => "opened",
    WireWhat::Request { .. } => "request",
    WireWhat::Held { .. } => "held",
    WireWhat::Released { .. } => "released",
    WireWhat::Abandoned { .. } => "abandoned",
    WireWhat::Response { .. } => "response",
    WireWhat::Frame { .. } => "frame",
    WireWhat::Finished { .. } => "finished",
    WireWhat::Upgraded => "upgraded",
    WireWhat::Faulted { .. } => "faulted",
    WireWhat::Cut => "cut",
    WireWhat::Refused => "refused",
    WireWhat::UpstreamLost { .. } => "upstream_lost",
    WireWhat::Malformed { .. } => "malformed",
    WireWhat::Closed => "closed",
}

kinds! { of_log, LogEvent, LOGS:
    LogEvent::Asked { .. } => "asked",
    LogEvent::Answered { .. } => "answered",
    LogEvent::Unanswered { .. } => "unanswered",
    LogEvent::Received { .. } => "received",
    LogEvent::Reads => "reads",
    LogEvent::Left { .. } => "left",
    LogEvent::Ended { .. } => "ended",
}

kinds! { of_content, DockerContent, CONTENTS:
    DockerContent::Nothing => "nothing",
    DockerContent::Unreadable { .. } => "unreadable",
    DockerContent::Malformed { .. } => "malformed",
    DockerContent::Config { .. } => "config",
    DockerContent::Context { .. } => "context",
    DockerContent::Other => "other",
    DockerContent::Passed => "passed",
}

kinds! { of_outcome, ReviewOutcome, OUTCOMES:
    ReviewOutcome::Allowed => "allowed",
    ReviewOutcome::Denied => "denied",
    ReviewOutcome::HeldAt(_) => "held_at",
    ReviewOutcome::ReleasedFrom(_) => "released_from",
    ReviewOutcome::GivenUpAt(_) => "given_up_at",
}

kinds! { of_exit, Exit, EXITS:
    Exit::Code(_) => "code",
    Exit::Signal(_) => "signal",
    Exit::TimedOut => "timed_out",
    Exit::Unknown(_) => "unknown",
}

kinds! { of_state, ProcessState, STATES:
    ProcessState::Started => "started",
    ProcessState::Stopped => "stopped",
    ProcessState::Died { .. } => "died",
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn gate() -> GateName {
    GateName(text("a gate"))
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([(text("a.b/c"), text("1"))])
}

fn exits() -> Vec<Exit> {
    vec![Exit::Code(-1), Exit::Signal(9), Exit::TimedOut, Exit::Unknown(text("why"))]
}

fn header() -> What {
    let steps = json!([
        { "hold": { "gate": "g", "at": "frame", "on": { "body": { "/a": null }, "nth": 2 } } },
        { "fault": { "kind": { "slow": { "bytes": 1, "every_ms": 2 } }, "on": {}, "times": 3 } },
        { "set": { "properties": { "running": "true" }, "exit": [0, 4], "timeout_s": 1 } },
        { "neighbour": { "answer": { "status": 500, "on": { "route": "/info" } } } },
        "settle",
    ]);
    What::Run(RunHeader {
        format: journal::FORMAT,
        harness: text("0"),
        finding: "1-A".parse().unwrap(),
        scenario: serde_json::from_value(json!({ "finding": "1-A", "steps": steps })).unwrap(),
        daemon: text("/d"),
        defects: vec![text("1-A")],
        vm: VmMode::Program,
        started: text("2026-01-01T00:00:00Z"),
        reused: 2,
        again: text("racetrap repro 1-A"),
        low_limit: Some(text("few files")),
        cell: Some(DaemonKind::Own),
    })
}

fn wires() -> Vec<WireWhat> {
    let reason = || text("why");
    let request = |route: Option<&str>| WireWhat::Request {
        method: text("GET"),
        target: text("/v1.41/events?a=b"),
        route: route.map(text),
        phase: Phase::Reconnect,
    };
    let mut wires = vec![
        WireWhat::Opened,
        request(None),
        request(Some("/events")),
        WireWhat::Released { gate: text("g") },
        WireWhat::Abandoned { gate: text("g") },
        WireWhat::Response { status: 200 },
        WireWhat::Frame { frame: json!({ "Type": "volume", "101": 1, "time": 1.5 }) },
        WireWhat::Frame { frame: Value::String(text("no JSON")) },
        WireWhat::Finished { bytes: u64::MAX },
        WireWhat::Upgraded,
        WireWhat::Faulted { rule: text("r"), fault: text("f") },
        WireWhat::Cut,
        WireWhat::Refused,
        WireWhat::UpstreamLost { reason: reason() },
        WireWhat::Closed,
    ];
    let points = [Point::Request, Point::Response, Point::Frame];
    wires.extend(points.map(|point| WireWhat::Held { gate: text("g"), point }));
    let sides = [WireSide::Client, WireSide::Upstream];
    wires.extend(sides.map(|side| WireWhat::Malformed { side, reason: reason() }));
    wires
}

fn logs() -> Vec<LogEvent> {
    let asked = |container, promised| LogEvent::Asked {
        target: text("/t?a=b"),
        container,
        promised,
        reads: true,
    };
    let mut logs = vec![
        asked(None, Codes::One(101)),
        asked(Some(text("id")), Codes::Any(vec![101, 404])),
        LogEvent::Answered { status: 404, text: text("no") },
        LogEvent::Unanswered { reason: text("why") },
        LogEvent::Received { messages: 1, texts: 2, bytes: 3, lines: 4, text: text("ä\n") },
        LogEvent::Reads,
        LogEvent::Ended { code: Some(1000), reason: text("done"), not_utf8: false },
        LogEvent::Ended { code: None, reason: text("broken"), not_utf8: true },
    ];
    let ways = [LeaveHow::Close, LeaveHow::Drop, LeaveHow::HalfClose, LeaveHow::Oversize];
    logs.extend(ways.map(|how| LogEvent::Left { how }));
    logs
}

fn contents() -> Vec<DockerContent> {
    vec![
        DockerContent::Nothing,
        DockerContent::Unreadable { why: text("why") },
        DockerContent::Malformed { why: text("why"), bytes: 3 },
        DockerContent::Config { current: Some(text("mine")), members: labels() },
        DockerContent::Config { current: None, members: BTreeMap::new() },
        DockerContent::Context { host: Some(text("unix:///s")) },
        DockerContent::Context { host: None },
        DockerContent::Other,
        DockerContent::Passed,
    ]
}

fn outcomes() -> Vec<ReviewOutcome> {
    vec![
        ReviewOutcome::Allowed,
        ReviewOutcome::Denied,
        ReviewOutcome::HeldAt(gate()),
        ReviewOutcome::ReleasedFrom(gate()),
        ReviewOutcome::GivenUpAt(gate()),
    ]
}

fn states() -> Vec<ProcessState> {
    let died = exits().into_iter().map(|exit| ProcessState::Died { exit });
    [ProcessState::Started, ProcessState::Stopped].into_iter().chain(died).collect()
}

fn truth() -> EngineState {
    let container = EngineContainer {
        name: text("web"),
        image: text("sha256:1"),
        state: text("running"),
        labels: labels(),
        details: None,
    };
    let image = EngineImage {
        tags: vec![text("a:1")],
        os: text("linux"),
        architecture: text("amd64"),
        labels: labels(),
        details: None,
    };
    let volume = EngineVolume {
        driver: text("local"),
        mountpoint: text("/v"),
        labels: labels(),
        details: None,
    };
    EngineState {
        containers: [(text("1"), container)].into(),
        images: [(text("sha256:1"), image)].into(),
        volumes: [(text("101"), volume)].into(),
    }
}

/// Records of a run, of its steps and of what the harness judges.
fn of_run() -> Vec<What> {
    let mut whats = vec![
        header(),
        What::Facts {
            daemon_version: text("1"),
            engine: text("dockerd 28"),
            controllers: vec![text("engine")],
        },
        What::Unmade { why: text("no engine") },
        What::NotApplicable { why: text("another protocol") },
        What::StepBegan { index: 3 },
        What::StepDone { index: 3 },
        What::Named { id: text("sha256:aa"), name: text("child") },
        What::Note { text: text("ä\n\"") },
        What::Ending,
        What::Ended,
    ];
    let blames = [Blame::Daemon, Blame::Schedule, Blame::World];
    whats.extend(blames.map(|blame| What::StepFailed { index: 4, blame, why: text("why") }));
    let stages = [Stage::Level, Stage::Probed];
    whats.extend(stages.map(|stage| What::Checkpoint { number: 1, stage }));
    let owners = [Owner::World, Owner::Daemon];
    whats.extend(owners.map(|owner| What::Leak { text: text("a file"), owner }));
    let process = |state| What::Process { name: text("engine"), pid: 7, started: 8, state };
    whats.extend(states().into_iter().map(process));
    whats
}

/// Records of the daemon, its API and its commands.
fn of_daemon() -> Vec<What> {
    let levels = [LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Panic];
    let mut whats = levels.map(|level| What::Log { level, text: text("line") }).to_vec();
    let object = json!({ "metadata": { "name": "a", "generation": 1 }, "spec": null });
    let changes = [Change::Added, Change::Modified, Change::Deleted];
    let change = |change| ApiChange { resource: text("apps"), change, object: object.clone() };
    whats.extend(changes.map(|one| What::Api(change(one))));
    whats.extend([
        What::Listed { resource: text("apps"), version: 9, objects: vec![object.clone()] },
        What::WatchLost { resource: text("apps"), reason: text("why") },
        What::CommandBegan { name: text("b"), arguments: vec![text("set")] },
        What::UserWrite(UserWrite {
            resource: text("volumes"),
            namespace: text("default"),
            name: text("v"),
            uid: text("u"),
            fields: [(text("/spec"), json!({ "1": null }))].into(),
            deleted: true,
        }),
        What::Turn { of: text("serial request GET /info 1") },
        What::Announced { passthroughs: [(text("engine"), vec![text("logs")])].into() },
    ]);
    whats.extend(exits().into_iter().map(|exit| {
        What::Command(CommandRun {
            arguments: vec![text("svc"), text("stop")],
            exit,
            stdout: text("out"),
            stderr: text("err"),
            took_ms: 5,
            interrupted: true,
        })
    }));
    whats.extend(outcomes().into_iter().map(|outcome| {
        let manager = Some(text("m"));
        let (operation, resource, name) = (text("UPDATE"), text("apps/status"), text("app"));
        What::Review(Review { operation, resource, name, manager, outcome })
    }));
    whats
}

/// Records of the VMs that the daemon runs.
fn of_vms() -> Vec<What> {
    vec![
        What::VmProcess(VmProcess {
            vm: text("rd"),
            role: VmRole::Driver,
            pid: 1,
            started: u64::MAX,
            group: 2,
            change: VmProcessChange::Frozen,
        }),
        What::VmFiles(VmFiles {
            left: vec![text("rd/ha.pid")],
            keys: SshKeys::Broken(text("why")),
            listening: vec![VmListener {
                vm: text("rd"),
                at: text("127.0.0.1:1"),
                program: text("tail"),
                pid: 1,
            }],
            old_logs: Some(vec![text("rd/ha.stderr.1.log")]),
            distributions: vec![WslDistribution { name: text("lima-rd"), running: true }],
        }),
        What::VmFiles(VmFiles {
            left: Vec::new(),
            keys: SshKeys::None,
            listening: Vec::new(),
            old_logs: None,
            distributions: Vec::new(),
        }),
        wsl_call(WslChange::Began),
        wsl_call(WslChange::Ended(Exit::Code(255))),
        wsl_call(WslChange::Killed),
    ]
}

fn wsl_call(change: WslChange) -> What {
    What::WslCall(WslCall {
        pid: 1,
        number: 2,
        command: WslCommand::Terminate,
        distribution: Some(text("lima-rd")),
        running: true,
        change,
    })
}

fn kubeconfigs() -> [KubeconfigContent; 3] {
    [
        KubeconfigContent::Nothing,
        KubeconfigContent::Broken { bytes: 1 },
        KubeconfigContent::Config { current: text("a"), members: labels() },
    ]
}

fn event() -> EngineEvent {
    EngineEvent {
        object: text("volume"),
        action: text("create"),
        id: text("v"),
        container: Some(text("c")),
        time_ns: i64::MAX,
    }
}

/// Records of the engine, the docker command and clients of logs.
fn of_others() -> Vec<What> {
    let digest = || text("0f");
    let (context, overruled, about) = (text("rancher-desktop-2"), true, false);
    let mut whats = vec![
        What::Engine(event()),
        What::Truth(truth()),
        What::Endpoint { address: Some(text("unix:///s")), default: true },
        What::Endpoint { address: None, default: false },
        What::DockerUser(DockerUser { context, overruled, about }),
        What::LogSent(LogSent {
            client: text("c"),
            received: 1,
            received_sha256: digest(),
            streams: vec![SentStream { exchange: 7, bytes: 2, prefix_sha256: digest() }],
        }),
        What::LogTruth(LogTruth {
            client: text("c"),
            received: 1,
            received_sha256: digest(),
            bytes: 2,
            frames: 3,
            prefix_sha256: digest(),
        }),
        What::LogCrowd(LogCrowdSeen {
            target: text("/t"),
            promised: Codes::One(101),
            answers: vec![StatusCount { status: 101, clients: 9 }],
            unanswered: 1,
            reason: text("why"),
        }),
        What::Footprint(Footprint { descriptors: 1, resident_kib: 2, peak_kib: 3 }),
        What::Kubernetes { state: KubernetesState::NotReady },
    ];
    let kubeconfig = |holds| Kubeconfig { how: FileChange::Found, mode: 0o600, holds };
    whats.extend(kubeconfigs().map(|holds| What::Kubeconfig(kubeconfig(holds))));
    let client = |event| What::LogClient(LogClient { client: text("c"), event });
    whats.extend(logs().into_iter().map(client));
    let how = FileChange::Replaced;
    let link = FileAttributes {
        mode: 0o640,
        owner: 1000,
        group: 100,
        link: Some(text("../elsewhere/config.json")),
        other_file_system: true,
    };
    let attributes = Some(link);
    let file = |holds| {
        let attributes = attributes.clone();
        DockerFile { path: text("config.json"), how, by_user: true, holds, attributes }
    };
    whats.extend(contents().into_iter().map(|holds| What::DockerFile(file(holds))));
    let ends = exits().into_iter().map(|exit| Some(UserCommandEnd { exit, said: text("no") }));
    whats.extend(
        ends.chain([None]).map(|end| {
            What::UserCommand(UserCommand { number: 1, arguments: vec![text("ps")], end })
        }),
    );
    for event in wires() {
        let message = || WireMessage { connection: 1, exchange: 2, event: event.clone() };
        whats.extend([What::Wire(message()), What::ApiWire(message()), What::UserWire(message())]);
        whats.push(What::KubernetesWire(message()));
    }
    whats
}

/// Asserts that at least one value has each kind of the list.
#[track_caller]
fn assert_all<T>(values: &[T], kind: fn(&T) -> &'static str, all: &[&str]) {
    let kinds: BTreeSet<_> = values.iter().map(kind).collect();
    assert_eq!(kinds, all.iter().copied().collect());
}

#[test]
fn a_record_of_every_kind_is_read_as_it_was_written() {
    let whats = [of_run(), of_daemon(), of_vms(), of_others()].concat();
    assert_all(&whats, of_what, WHATS);
    assert_all(&wires(), of_wire, WIRES);
    assert_all(&logs(), of_log, LOGS);
    assert_all(&contents(), of_content, CONTENTS);
    assert_all(&outcomes(), of_outcome, OUTCOMES);
    assert_all(&exits(), of_exit, EXITS);
    assert_all(&states(), of_state, STATES);
    let record = |(seq, what): (usize, What)| {
        let seq = seq as u64;
        Record { seq, at_us: seq * 10, neighbour: seq % 2 == 1, what }
    };
    let records: Vec<_> = whats.into_iter().enumerate().map(record).collect();
    let mut bytes = Vec::new();
    for record in &records {
        journal::append(&mut bytes, record).unwrap();
    }
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, records.len());
    let read = journal::read(&bytes[..]).unwrap().records;
    for (read, written) in read.iter().zip(&records) {
        assert_eq!(read, written);
    }
    assert_eq!(read.len(), records.len());
}

// The names in the list are those in the journal, so the list shows what a journal may contain.
#[test]
fn a_record_has_the_name_of_its_kind_in_the_journal() {
    for what in [of_run(), of_daemon(), of_vms(), of_others()].concat() {
        let kind = of_what(&what);
        let record = Record { seq: 0, at_us: 0, neighbour: false, what };
        assert_eq!(serde_json::to_value(&record).unwrap()["what"], kind);
    }
}
