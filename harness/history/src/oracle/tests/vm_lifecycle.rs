//! Processes and files of VMs: what each breach of the contract looks like, and what is none.

use VmProcessChange::{Began, Ended, Frozen, Killed};
use VmRole::{Bystander, Driver, Hostagent};
use rstest::rstest;
use serde_json::{Value, json};

use crate::oracle::vm_lifecycle;
use crate::record::{
    Change, CommandRun, Exit, ProcessState, Record, SshKeys, Stage, VmFiles, VmListener, VmProcess,
    VmProcessChange, What, WslCall, WslChange, WslDistribution,
};
use crate::scenario::{VmRole, WslCommand};

/// A record, and the second of the run in which it comes.
type Timed = (u64, What);

fn process(role: VmRole, pid: u32, change: VmProcessChange) -> What {
    let started = u64::from(pid);
    What::VmProcess(VmProcess { vm: "rd".to_owned(), role, pid, started, group: pid, change })
}

fn vm(running: bool, status: &str, reason: &str, starts: i64) -> What {
    let object = json!({
        "metadata": { "name": "rd", "namespace": "default" }, "spec": { "running": running },
        "status": { "restartCount": starts, "conditions": [
            { "type": "Running", "status": status, "reason": reason },
        ] },
    });
    super::build::changed("limavms", Change::Modified, object)
}

fn runs() -> What {
    vm(true, "True", "Started", 1)
}

fn has_stopped() -> What {
    vm(false, "False", "Stopped", 1)
}

fn files(left: &[&str], keys: SshKeys) -> What {
    let left = left.iter().map(|file| (*file).to_owned()).collect();
    What::VmFiles(VmFiles {
        left,
        keys,
        listening: Vec::new(),
        old_logs: None,
        distributions: Vec::new(),
    })
}

/// A look that finds a process of `vm` which listens.
fn listens(vm: &str) -> What {
    let listener = VmListener {
        vm: vm.to_owned(),
        at: "127.0.0.1:4711".to_owned(),
        program: "tail".to_owned(),
        pid: 30,
    };
    let keys = SshKeys::Whole("a".to_owned());
    What::VmFiles(VmFiles {
        left: Vec::new(),
        keys,
        listening: vec![listener],
        old_logs: None,
        distributions: Vec::new(),
    })
}

/// A look that finds so many logs of earlier boots, of each stream.
fn logs(stdout: usize, stderr: usize) -> What {
    let of = |stem: &'static str, count| (1..=count).map(move |it| format!("rd/{stem}.{it}.log"));
    What::VmFiles(VmFiles {
        left: Vec::new(),
        keys: SshKeys::Whole("a".to_owned()),
        listening: Vec::new(),
        distributions: Vec::new(),
        old_logs: Some(of("ha.stdout", stdout).chain(of("ha.stderr", stderr)).collect()),
    })
}

/// A second hostagent and its driver, after the first ones have ended.
fn second_boot() -> Vec<Timed> {
    let ended = [process(Driver, 11, Ended), process(Hostagent, 10, Ended)];
    let begun = [process(Hostagent, 12, Began), process(Driver, 13, Began)];
    ended.into_iter().chain(begun).map(|what| (1, what)).collect()
}

#[rstest]
#[case::kept(logs(1, 1), "")]
#[case::of_boots_before_the_run(logs(5, 3), "")]
#[case::lost(logs(1, 0), "the VM rd has booted 1 times before, and 0 old logs ha.stderr are kept")]
#[case::piled_up(
    logs(6, 5),
    "the VM rd has booted 1 times before, and 6 old logs ha.stdout are kept"
)]
fn the_logs_of_earlier_boots_are_kept(#[case] look: What, #[case] expected: &str) {
    let then = second_boot().into_iter().chain([(2, look)]).collect();
    // Its logs count from the creation of the VM on.
    let created = std::iter::once((0, vm(true, "False", "Starting", 0)));
    assert_eq!(violations(created.chain(booted(then)).collect()).join("; "), expected);
}

fn whole(digest: &str) -> What {
    files(&[], SshKeys::Whole(digest.to_owned()))
}

fn checkpoint() -> What {
    What::Checkpoint { number: 1, stage: Stage::Probed }
}

fn service_stop(exit: i32, took_s: u64) -> What {
    service("stop", exit, took_s)
}

fn service(verb: &str, exit: i32, took_s: u64) -> What {
    What::Command(CommandRun {
        arguments: ["svc", verb].map(str::to_owned).to_vec(),
        exit: Exit::Code(exit),
        stdout: String::new(),
        stderr: String::new(),
        took_ms: took_s * 1000,
        interrupted: false,
    })
}

fn daemon(state: ProcessState) -> What {
    What::Process { name: "daemon".to_owned(), pid: 1, started: 1, state }
}

/// A VM that runs, and then these records.
fn booted(then: Vec<Timed>) -> Vec<Timed> {
    let whats = [process(Hostagent, 10, Began), process(Driver, 11, Began), whole("a"), runs()];
    whats.map(|what| (0, what)).into_iter().chain(then).collect()
}

fn violations(timed: Vec<Timed>) -> Vec<String> {
    let records = (0..).zip(timed).map(|(seq, (second, what))| Record {
        seq,
        at_us: second * 1_000_000,
        neighbour: false,
        what,
    });
    let found = vm_lifecycle(&records.collect::<Vec<_>>());
    found.violations.into_iter().map(|violation| violation.text).collect()
}

#[rstest]
#[case::it_runs(vec![(1, checkpoint())])]
#[case::it_stops(vec![
    (1, vm(false, "True", "Started", 1)), (2, process(Driver, 11, Ended)),
    (2, process(Hostagent, 10, Ended)), (2, has_stopped()), (2, checkpoint()),
])]
#[case::it_is_forced_after_the_grace(vec![
    (1, process(Hostagent, 10, Frozen)), (2, vm(false, "True", "Started", 1)),
    (32, process(Driver, 11, Ended)), (32, process(Hostagent, 10, Ended)), (33, has_stopped()),
    (33, checkpoint()),
])]
#[case::it_crashes_and_is_started_again(vec![
    (1, checkpoint()), (2, process(Hostagent, 10, Killed)), (2, process(Hostagent, 10, Ended)),
    (2, process(Driver, 11, Ended)), (3, process(Hostagent, 12, Began)),
    (3, process(Driver, 13, Began)), (4, vm(true, "True", "Started", 2)), (4, checkpoint()),
])]
// The driver of the new boot was seen before its hostagent, which started earlier.
#[case::a_driver_is_seen_first(vec![
    (2, process(Driver, 11, Ended)), (2, process(Hostagent, 10, Ended)),
    (3, process(Driver, 13, Began)), (3, process(Hostagent, 12, Began)),
    (4, vm(true, "True", "Started", 2)), (4, checkpoint()),
])]
#[case::the_harness_ends_a_bystander(vec![
    (1, process(Bystander, 20, Began)), (2, process(Bystander, 20, Killed)),
    (2, process(Bystander, 20, Ended)),
])]
#[case::the_daemon_stops(vec![
    (1, process(Driver, 11, Ended)), (1, process(Hostagent, 10, Ended)), (2, service_stop(0, 1)),
    (2, whole("a")),
])]
// The kernel ends the stopped processes of a session whose leader has gone.
#[case::a_frozen_hostagent_ends_with_its_daemon(vec![
    (1, process(Hostagent, 10, Frozen)), (2, vm(false, "True", "Started", 1)),
    (3, process(Hostagent, 10, Ended)), (3, daemon(ProcessState::Stopped)), (5, whole("a")),
])]
// The second stop finds a daemon that has ended at once, and had no time for its VM.
#[case::a_late_stop_leaves_the_vm(vec![
    (3, service_stop(4, 2)), (4, service_stop(0, 0)), (4, files(&["rd/ha.pid"], SshKeys::None)),
    (5, daemon(ProcessState::Started)), (6, process(Driver, 11, Ended)), (6, process(Hostagent, 10, Ended)),
    (7, service_stop(0, 1)), (7, whole("a")),
])]
#[case::it_is_being_deleted(vec![
    (1, process(Driver, 11, Ended)), (1, process(Hostagent, 10, Ended)), (1, deleting()), (2, checkpoint()),
])]
// A VM that runs listens, and so does another one.
#[case::sockets_of_vms_that_run(vec![
    (1, listens("rd")), (1, checkpoint()), (2, process(Driver, 11, Ended)),
    (2, process(Hostagent, 10, Ended)), (2, has_stopped()), (2, listens("two")), (2, checkpoint()),
])]
// The start took 3 s, so the daemon has waited 30 s before it killed.
#[case::a_left_hostagent_gets_its_grace(vec![
    (1, daemon(ProcessState::Stopped)), (2, process(Hostagent, 10, Frozen)), (6, service("start", 0, 3)),
    (6, daemon(ProcessState::Started)), (34, process(Hostagent, 10, Ended)),
    (34, process(Driver, 11, Ended)), (36, whole("a")),
])]
// The kernel ends stopped processes together with their daemon.
#[case::a_left_hostagent_ends_before_the_next_daemon(vec![
    (1, process(Hostagent, 10, Frozen)), (1, daemon(ProcessState::Stopped)),
    (1, process(Hostagent, 10, Ended)), (6, service("start", 0, 3)), (6, daemon(ProcessState::Started)),
    (6, process(Driver, 11, Ended)), (60, whole("a")),
])]
fn a_vm_that_keeps_the_contract_is_no_violation(#[case] then: Vec<Timed>) {
    assert_eq!(violations(booted(then)), [""; 0]);
}

#[rstest]
#[case::two_hostagents(
    vec![(1, process(Driver, 11, Ended)), (1, process(Hostagent, 12, Began))],
    "hostagent 12 of rd runs while hostagent 10 still does"
)]
#[case::an_old_driver(
    vec![(1, process(Hostagent, 10, Ended)), (2, process(Hostagent, 12, Began))],
    "hostagent 12 of rd runs while driver 11 of the boot before does"
)]
#[case::a_bystander_is_ended(
    vec![(1, process(Bystander, 20, Began)), (2, process(Bystander, 20, Ended))],
    "process 20 has nothing to do with the VM rd, but had an ID of its pid files, and was ended"
)]
#[case::forced_too_early(
    vec![
        (1, process(Hostagent, 10, Frozen)), (2, vm(false, "True", "Started", 1)),
        (5, process(Hostagent, 10, Ended)), (7, whole("a")),
    ],
    "hostagent 10 of rd was killed 3 s after it was told to stop"
)]
#[case::forced_too_early_at_shutdown(
    vec![
        (1, process(Hostagent, 10, Frozen)), (5, process(Hostagent, 10, Ended)),
        (5, process(Driver, 11, Ended)), (7, daemon(ProcessState::Stopped)),
        (7, service_stop(0, 5)), (7, whole("a")),
    ],
    "hostagent 10 of rd was killed 3 s after it was told to stop"
)]
#[case::never_forced(
    vec![(1, vm(false, "True", "Started", 1)), (50, whole("a"))],
    "the VM rd still runs 45 s after it was told to stop"
)]
#[case::a_deleted_vm_runs_on(
    vec![(1, process(Hostagent, 10, Ended)), (2, gone()), (3, checkpoint())],
    "the VM rd has stopped, but its driver 11 runs on"
)]
#[case::a_stopped_vm_runs_on(
    vec![(1, process(Hostagent, 10, Ended)), (2, has_stopped()), (3, checkpoint())],
    "the VM rd has stopped, but its driver 11 runs on"
)]
#[case::files_are_left(
    vec![
        (1, process(Hostagent, 10, Ended)), (1, process(Driver, 11, Ended)), (2, has_stopped()),
        (2, files(&["other/ha.pid", "rd/ha.sock"], SshKeys::None)), (3, checkpoint()),
    ],
    "the VM rd has stopped, but left rd/ha.sock"
)]
#[case::the_daemon_leaves_a_process(
    vec![(1, process(Driver, 11, Ended)), (2, service_stop(0, 1)), (2, whole("a"))],
    "the daemon has stopped, but hostagent 10 of rd runs on"
)]
#[case::the_daemon_leaves_files(
    vec![
        (1, process(Driver, 11, Ended)), (1, process(Hostagent, 10, Ended)),
        (2, service_stop(0, 1)), (2, files(&["rd/ha.pid"], SshKeys::None)),
    ],
    "the daemon has stopped, but left rd/ha.pid"
)]
#[case::a_stopped_vm_listens(
    vec![
        (1, process(Hostagent, 10, Ended)), (1, process(Driver, 11, Ended)), (2, has_stopped()),
        (2, listens("rd")), (3, checkpoint()),
    ],
    "the VM rd has stopped, but tail 30 of rd listens at 127.0.0.1:4711"
)]
#[case::it_listens_after_the_daemon(
    vec![
        (1, process(Driver, 11, Ended)), (1, process(Hostagent, 10, Ended)),
        (2, service_stop(0, 1)), (2, listens("rd")),
    ],
    "the daemon has stopped, but tail 30 of rd listens at 127.0.0.1:4711"
)]
#[case::a_left_hostagent_is_killed_at_once(
    vec![
        (1, daemon(ProcessState::Stopped)), (2, process(Hostagent, 10, Frozen)),
        (4, process(Hostagent, 10, Ended)), (4, process(Driver, 11, Ended)),
        (6, service("start", 0, 3)), (6, daemon(ProcessState::Started)),
    ],
    "hostagent 10 of rd, which an earlier daemon has left, was killed 1 s after the next one began to start"
)]
#[case::a_left_hostagent_is_killed_early(
    vec![
        (1, daemon(ProcessState::Stopped)), (2, process(Hostagent, 10, Frozen)),
        (6, service("start", 0, 3)), (6, daemon(ProcessState::Started)),
        (14, process(Hostagent, 10, Ended)), (14, process(Driver, 11, Ended)),
    ],
    "hostagent 10 of rd, which an earlier daemon has left, was killed 11 s after the next one began to start"
)]
#[case::a_left_hostagent_is_never_ended(
    vec![
        (1, daemon(ProcessState::Stopped)), (2, process(Hostagent, 10, Frozen)),
        (6, service("start", 0, 3)), (6, daemon(ProcessState::Started)), (55, whole("a")),
        (56, whole("a")),
    ],
    "hostagent 10 of rd, which an earlier daemon has left, still runs 45 s after the next one was ready"
)]
#[case::the_daemon_is_slow(
    vec![
        (1, process(Driver, 11, Ended)), (1, process(Hostagent, 10, Ended)),
        (61, service_stop(0, 60)),
    ],
    "the daemon took 60 s to stop"
)]
#[case::it_runs_without_a_driver(
    vec![(1, process(Driver, 11, Ended)), (2, checkpoint())],
    "the VM rd runs, and has 0 processes `driver`"
)]
#[case::restarts_are_not_counted(
    vec![
        (1, checkpoint()), (2, process(Driver, 11, Ended)), (2, process(Hostagent, 10, Ended)),
        (3, process(Hostagent, 12, Began)), (3, process(Driver, 13, Began)), (4, checkpoint()),
    ],
    "the VM rd has another hostagent, but restartCount is still 1"
)]
#[case::a_good_pair_is_replaced(
    vec![(1, whole("b"))],
    "a whole pair of SSH keys was replaced"
)]
#[case::a_pair_stays_broken(
    vec![(1, files(&[], SshKeys::Broken("the private key is empty".to_owned()))), (2, checkpoint())],
    "the VM rd runs, and there is: broken SSH keys: the private key is empty"
)]
fn each_breach_is_a_violation(#[case] then: Vec<Timed>, #[case] expected: &str) {
    assert_eq!(violations(booted(then)), [expected]);
}

/// A call of `wsl.exe` about the distribution of the VM.
fn wsl(command: WslCommand, running: bool, change: WslChange) -> What {
    let (pid, number, distribution) = (9, 4, Some("lima-rd".to_owned()));
    What::WslCall(WslCall { pid, number, command, distribution, running, change })
}

/// The VM has stopped, and its distribution is there.
fn stopped_with_distribution(running: bool) -> Vec<Timed> {
    let keys = SshKeys::Whole("a".to_owned());
    let distributions = vec![WslDistribution { name: "lima-rd".to_owned(), running }];
    vec![
        (1, process(Driver, 11, Ended)),
        (1, process(Hostagent, 10, Ended)),
        (2, has_stopped()),
        (
            2,
            What::VmFiles(VmFiles {
                left: Vec::new(),
                keys,
                listening: Vec::new(),
                old_logs: None,
                distributions,
            }),
        ),
        (3, checkpoint()),
    ]
}

#[test]
fn a_distribution_that_does_not_run_stays_until_its_vm_is_deleted() {
    let mut then = stopped_with_distribution(false);
    assert_eq!(violations(booted(then.clone())), [""; 0]);
    then.insert(4, (2, gone()));
    let expected = "the VM rd was deleted, but its distribution is left";
    assert_eq!(violations(booted(then)), [expected]);
}

#[test]
fn a_distribution_that_runs_on_is_a_violation() {
    let expected = "the VM rd has stopped, but its distribution runs on";
    assert_eq!(violations(booted(stopped_with_distribution(true))), [expected]);
}

#[rstest]
#[case::it_answers_late(WslCommand::Terminate, 14, WslChange::Ended(Exit::Code(0)), "")]
#[case::it_is_killed(WslCommand::Unregister, 34, WslChange::Killed, "")]
#[case::a_session_lasts(WslCommand::Session, 600, WslChange::Ended(Exit::Code(0)), "")]
#[case::a_list_is_not_bounded(WslCommand::List, 16, WslChange::Killed, "wsl.exe 9: list")]
#[case::terminate_is_not_bounded(
    WslCommand::Terminate,
    16,
    WslChange::Killed,
    "wsl.exe 9: terminate"
)]
#[case::unregister_is_not_bounded(
    WslCommand::Unregister,
    36,
    WslChange::Killed,
    "wsl.exe 9: unregister"
)]
fn a_call_of_wsl_has_its_limit(
    #[case] command: WslCommand,
    #[case] ends: u64,
    #[case] change: WslChange,
    #[case] expected: &str,
) {
    let then =
        vec![(1, wsl(command, false, WslChange::Began)), (1 + ends, wsl(command, false, change))];
    let found = violations(booted(then)).join("");
    assert!(found.starts_with(expected) && found.is_empty() == expected.is_empty(), "{found}");
}

#[test]
fn to_unregister_a_distribution_that_runs_is_a_violation() {
    let then = |running| vec![(1, wsl(WslCommand::Unregister, running, WslChange::Began))];
    assert_eq!(violations(booted(then(false))), [""; 0]);
    let expected = "lima-rd was to be unregistered while it ran, which blocks WSL";
    assert_eq!(violations(booted(then(true))), [expected]);
}

/// The VM, which the daemon has stopped and is about to delete.
fn deleting() -> What {
    let object = json!({
        "metadata": { "name": "rd", "deletionTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "running": true },
        "status": { "conditions": [
            { "type": "Running", "status": "True", "reason": "Started" },
        ] },
    });
    super::build::changed("limavms", Change::Modified, object)
}

fn gone() -> What {
    let object: Value = json!({ "metadata": { "name": "rd", "namespace": "default" } });
    super::build::changed("limavms", Change::Deleted, object)
}

// A hostagent in the daemon's group would be ended by a signal to that.
#[test]
fn a_hostagent_in_another_group_is_a_violation() {
    let mut agent = process(Hostagent, 10, Began);
    if let What::VmProcess(process) = &mut agent {
        process.group = 1;
    }
    let expected = "hostagent 10 of rd does not lead a process group of its own";
    assert_eq!(violations(vec![(0, agent)]), [expected]);
}

// In VM mode `api` no VM has a process, so none is missing.
#[test]
fn a_history_without_processes_judges_none() {
    assert_eq!(violations(vec![(0, runs()), (1, checkpoint())]), [""; 0]);
}
