//! Every way in which a run can end without a pass leaves a bundle.

use std::process::Child;

use racetrap::bundle::Trigger;
use racetrap::deadline::Deadlines;
use racetrap::run::{EndAt, RunOptions, Stop};
use racetrap::world::{EngineChoice, Pool};
use racetrap_history::{NeighbourStep, Scenario, Step};
use rustix::process::{Pid, Signal, kill_process};

use crate::checked::Bundle;
use crate::place::{Place, output_without_canaries, wait_until};

/// A run that stops at a step which is never done: the daemon's subscription is held, and the step
/// waits for a request that the daemon never sends.
const STUCK: &str = "
finding: 295-I3
needs: {docker: {}}
steps:
  - docker_file: {put: {text: '{}'}}
  - load_image: {image: base, tags: ['base:1']}
  - create_container: {name: one, image: base, start: true}
  - hold: {gate: subscription, at: request, on: {method: GET, route: /events}}
  - hold: {gate: never, at: request, on: {method: DELETE, route: '/volumes/{name}'}}
  - app: {running: true, wait: false}
  - reached: subscription
  - reached: never
  - release: never
  - release: subscription
  - settle
";

/// Starts the run, and waits until the subscription is held.
#[track_caller]
pub(crate) fn run_until_held(place: &Place, arguments: &[&str]) -> Child {
    let scenario = place.path().join("stuck.yaml");
    std::fs::write(&scenario, STUCK).unwrap();
    let arguments = [&["run", scenario.to_str().unwrap()], arguments].concat();
    let child = place.racetrap(&arguments).spawn().unwrap();
    wait_until("a message to be held", || {
        let journal = place.journal();
        if journal.contains("\"wire\":\"held\"") { Ok(()) } else { Err(journal) }
    });
    child
}

#[track_caller]
fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// The process of the daemon, from the journal.
fn daemon(place: &Place) -> Pid {
    let journal = place.journal();
    let line = journal.lines().find(|line| line.contains("\"name\":\"daemon\"")).expect("it began");
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    Pid::from_raw(record["pid"].as_i64().unwrap().try_into().unwrap()).unwrap()
}

// The defect is the finding's own, so the verdict is a failure. A pass of the same schedule with
// `--keep` leaves a manifest without a capture.
#[test]
fn a_failure_leaves_a_bundle_and_a_pass_is_not_captured() {
    let place = Place::new();
    let output = place.run(&["run", "295-I3", "--defect", "295-I3"]);
    assert_eq!(output.status.code(), Some(1));
    let bundle = Bundle::load(&place);
    bundle.has_all(Trigger::Verdict);
    assert!(bundle.manifest.reason.starts_with("fail: "), "{:?}", bundle.manifest);
    assert!(bundle.text("verdict.json").contains("\"convergence\""));
    assert!(bundle.text("verdict.json").contains("\"fail\""));
    assert!(bundle.text("world/home/.docker/config.json").contains("\"auth\": \"masked-"));
    assert_eq!(place.leftovers(), Vec::<String>::new());

    let place = Place::new();
    let output = place.run(&["run", "295-I3", "--keep"]);
    assert_eq!(output.status.code(), Some(0));
    let kept = Bundle::in_directory(&place.evidence().unwrap());
    assert_eq!((kept.manifest.trigger, kept.manifest.deadline), (Trigger::Kept, 0.0));
    assert!(!kept.files.keys().any(|path| path.starts_with("world/")), "{:?}", kept.files.keys());
}

// The daemon is stopped, so its API does not respond, and the step's deadline ends the run. Files
// from the API must be missing with the reason, and the same objects must be there from the
// database. A stopped process does not handle SIGQUIT, so the daemon's stacks prove that the
// capture continued it.
#[test]
fn a_step_that_times_out_with_a_stopped_daemon_leaves_a_bundle_without_the_api() {
    let place = Place::new();
    let child = run_until_held(&place, &["--deadline", "2"]);
    kill_process(daemon(&place), Signal::STOP).unwrap();
    let output = output_without_canaries(child);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let bundle = Bundle::load(&place);
    assert_eq!(bundle.manifest.trigger, Trigger::Step, "{}", bundle.manifest.reason);
    assert!(bundle.manifest.reason.contains("never"), "{}", bundle.manifest.reason);
    let missing = bundle.missing("api");
    assert!(missing.iter().any(|why| why.contains("budget")), "{missing:?}");
    assert!(bundle.text("world/database.yaml").contains("kind: App"));
    assert!(bundle.text("world/processes.json").contains("\"state\": \"T\""));
    assert!(bundle.text("world/stacks/rdd-reference-*.txt").contains("[controller app]"));
    assert!(bundle.text("world/engine/info.json").contains("ServerVersion"));
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// SIGINT is what Ctrl-C sends, and SIGTERM is what CI sends.
#[test]
fn a_request_to_stop_leaves_a_bundle() {
    for asked in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let child = run_until_held(&place, &[]);
        signal(&child, asked);
        let output = output_without_canaries(child);
        assert_eq!(output.status.code(), Some(3));
        let bundle = Bundle::load(&place);
        bundle.has_all(Trigger::Stopped);
        bundle.has_masks();
        assert!(bundle.manifest.reason.contains("told to stop by SIG"), "{:?}", bundle.manifest);
    }
}

// A killed harness can do nothing any more. The watcher captures the world before it sweeps it.
#[test]
fn a_harness_that_is_killed_leaves_a_bundle() {
    let place = Place::new();
    let mut child = run_until_held(&place, &[]);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let bundle = Bundle::made_by_watcher(&place);
    bundle.has_all(Trigger::Killed);
    bundle.has_masks();
    assert!(bundle.text("swept.txt").contains("dockerd"));
    assert!(bundle.text("engine.log").contains("level="));
}

// A step for a neighbour in a scenario without one breaks an invariant of the runner. The parser
// rejects such a file, so the scenario is built here. The harness must write the bundle and then go
// on with the panic.
#[test]
fn a_panic_of_the_harness_leaves_a_bundle() {
    let place = Place::new();
    let create = serde_json::from_str(r#"{"create_volume": {"name": "one"}}"#).unwrap();
    let broken = Step::Neighbour(NeighbourStep::Does(Box::new(create)));
    let finding = serde_json::from_str("\"295-I3\"").unwrap();
    let steps = vec![broken];
    let scenario = Scenario {
        finding,
        about: None,
        replay: None,
        needs: Default::default(),
        clean: None,
        steps,
    };
    let options = RunOptions {
        daemon: racetrap::process::companion("rdd-reference").unwrap(),
        defects: Vec::new(),
        evidence: place.path().join("evidence"),
        keep: false,
        vm: None,
        engine: EngineChoice::default(),
        deadlines: Deadlines::DEFAULT,
        again: String::new(),
        cell: None,
        stop: Stop::never(),
        end_at: EndAt::default(),
        pool: Pool::disabled(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let run = || runtime.block_on(racetrap::run::run(&scenario, &options)).map(|_| ());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
    let said = panic.downcast_ref::<String>().map(String::as_str);
    assert!(said.or(panic.downcast_ref::<&str>().copied()).unwrap().contains("it has a neighbour"));
    let bundle = Bundle::load(&place);
    assert_eq!(bundle.manifest.trigger, Trigger::Panic);
    assert!(bundle.manifest.reason.contains("it has a neighbour"), "{}", bundle.manifest.reason);
    assert!(bundle.text("verdict.json").contains("\"unknown\""));
    assert!(bundle.text("world/stacks/rdd-reference-*.txt").contains("[controller app]"));
}
