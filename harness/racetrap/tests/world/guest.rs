//! Engines in virtual machines: what happens to a guest reaches the history, and nothing is left.
//!
//! The guest boots once, when it is built; each test forks it. Software may emulate its processors,
//! so a test takes half a minute and one that boots takes a minute.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::engine::SCHEDULE;
use crate::place::{Place, wait_until, wait_within};

/// An engine with an object of each kind, which the daemon mirrors.
const BEGIN: &str = "
finding: 295-I4
steps:
  - load_image: {image: base, tags: ['base:1']}
  - create_container: {name: made, image: base}
  - create_volume: {name: data}
  - app: {running: true}
  - settle
";

const CUT: &str = "
  - guest: power_cut
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - guest: power_on
  - settle
";

const RESET: &str = "
  - guest: reset
  - create_volume: {name: after-the-reset}
  - guest: forward
  - settle
";

const PAUSE: &str = "
  - guest: pause
  - touch: {times: 3}
  - guest: resume
  - create_volume: {name: after-the-pause}
  - settle
";

const UNPLUG: &str = "
  - guest: nic_down
  - create_volume: {name: unheard}
  - guest: nic_up
  - settle
";

const FORWARD: &str = "
  - guest: kill_forward
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - guest: forward
  - settle
";

/// Runs a schedule on a guest, which must pass, and returns its history.
#[track_caller]
fn history(place: &Place, schedule: &str) -> Vec<Value> {
    let file = place.path().join("guest.yaml");
    std::fs::write(&file, schedule).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep", "--engine", "vm"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complaint}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
    let journal = place.journal();
    journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The records from the beginning of the step with this index to its end.
fn during(history: &[Value], index: u64) -> &[Value] {
    let at = |what: &str| {
        let is_it = |record: &Value| record["what"] == what && record["index"] == index;
        history.iter().position(is_it).unwrap()
    };
    &history[at("step_began")..=at("step_done")]
}

/// How often a process of the world began or ended.
fn lives(history: &[Value], name: &str) -> usize {
    let is_it = |record: &&Value| record["what"] == "process" && record["name"] == name;
    history.iter().filter(is_it).count()
}

fn has_wire(records: &[Value], event: &str) -> bool {
    records.iter().any(|record| record["what"] == "wire" && record["wire"] == event)
}

// The same schedule as on all other engines: dockerd is killed, started and frozen in its guest.
#[test]
fn mirrors_survive_the_engine_of_a_guest_that_is_killed_started_again_and_frozen() {
    let place = Place::new();
    let history = history(&place, SCHEDULE);
    assert_eq!(lives(&history, "engine"), 4, "two engines started and ended");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
    let facts = history.iter().find(|record| record["what"] == "facts").unwrap();
    let engine = facts["engine"].as_str().unwrap();
    assert!(engine.starts_with("dockerd 20.10."), "{engine}");
    let evidence = place.evidence().unwrap();
    let log = std::fs::read_to_string(evidence.join("engine.log")).unwrap();
    assert!(log.contains("API listen on"), "the log of the guest's engine: {log}");
}

// Each fault, and the one effect on the history that no other engine can have.
#[test]
fn after_a_power_cut_the_guest_boots_from_its_disk() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{CUT}"));
    assert_eq!(lives(&history, "engine-machine"), 4, "two machines started and ended");
    assert_eq!(lives(&history, "engine"), 4, "and so did two engines");
    assert!(has_wire(during(&history, 5), "upstream_lost") || has_wire(&history, "upstream_lost"));
    let evidence = place.evidence().unwrap();
    let console = std::fs::read_to_string(evidence.join("guest.log")).unwrap();
    assert!(console.contains("s: up"), "the boot is on the serial console: {console}");
}

// The guest forgets its connections, and tells nobody. The daemon's stream gets an end only after the
// daemon itself has sent something to the guest that has booted, or when the forward is replaced.
#[test]
fn a_reset_ends_no_stream_until_the_daemon_sends_something() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{RESET}"));
    let reset = during(&history, 5);
    assert_eq!(lives(reset, "engine"), 2, "one engine ended, and the next one started");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
    let first = reset.iter().find(|record| record["what"] == "wire");
    assert!(first.is_none_or(|record| record["wire"] != "upstream_lost"), "{reset:?}");
    assert!(has_wire(&history, "upstream_lost"), "the daemon has noticed it in the end");
}

#[test]
fn after_a_pause_the_clock_of_the_guest_is_behind() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{PAUSE}"));
    assert_eq!(lives(&history, "engine"), 2, "one engine");
    assert!(!has_wire(&history[..history.len() / 2], "upstream_lost"));
    let resumed = during(&history, 7);
    let notes = resumed.iter().filter_map(|record| record["text"].as_str());
    let behind = notes.filter(|text| text.contains("the guest's clock is")).count();
    assert_eq!(behind, 1, "{resumed:?}");
}

// The truth has another network. So the history has the engine's event at once, and the daemon's
// stream gets it when the cable is plugged in again.
#[test]
fn an_unplugged_network_delays_what_the_daemon_is_told() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{UNPLUG}"));
    let told = |records: &[Value], what: &str| {
        records
            .iter()
            .any(|record| record["what"] == what && record.to_string().contains("unheard"))
    };
    let unplugged = during(&history, 6);
    assert!(told(unplugged, "engine"), "the truth knows it: {unplugged:?}");
    assert!(!told(unplugged, "wire"), "the daemon does not: {unplugged:?}");
    assert!(told(&history, "api"), "the daemon mirrors it later");
    assert_eq!(lives(&history, "engine"), 2, "one engine");
}

#[test]
fn without_its_forward_the_daemon_loses_an_engine_that_runs_on() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{FORWARD}"));
    assert_eq!(lives(&history, "engine"), 2, "one engine");
    assert_eq!(lives(&history, "engine-forward"), 4, "two forwards");
    assert_eq!(lives(&history, "engine-truth"), 2, "the harness kept its own");
}

// Neither QEMU nor `ssh` end with the harness. Only the watcher can end them.
#[rstest]
#[case::while_it_runs("\"what\":\"facts\"")]
#[case::while_it_is_forked("\"name\":\"engine-machine\"")]
fn the_watcher_ends_the_guest_after_sigkill(#[case] instant: &str) {
    let place = Place::new();
    let mut child = place.racetrap(&["run", "295-I3", "--engine", "vm"]).spawn().unwrap();
    // Other runs may have both turns of the machine for some minutes.
    wait_within(Duration::from_secs(900), instant, || {
        let journal = place.journal();
        if journal.contains(instant) { Ok(()) } else { Err(journal) }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the watcher's list", || {
        let said = std::fs::read_to_string(place.evidence().unwrap().join("swept.txt"));
        let said = said.unwrap_or_default();
        if said.contains("qemu-system") { Ok(()) } else { Err(said) }
    });
    wait_until("the watcher's sweep", || {
        let left = place.leftovers();
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
}

// No guest is started: the machine's own engine is no guest.
#[test]
fn a_scenario_about_a_guest_is_not_for_other_engines() {
    let place = Place::new();
    let file = place.path().join("guest.yaml");
    std::fs::write(&file, format!("{BEGIN}{FORWARD}")).unwrap();
    let output = place.run(&["run", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("needs an engine in a virtual machine"), "{said}");
}
