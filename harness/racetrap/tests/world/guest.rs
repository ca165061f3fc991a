//! Engines in virtual machines: what happens to a guest reaches the history, and nothing is left.
//!
//! The guest boots once, when it is built; each test forks it. Software may emulate its processors,
//! so a test takes half a minute and one that boots takes a minute.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use crate::engine::SCHEDULE;
use crate::place::{Place, wait_until, wait_within};

/// An engine with an object of each kind, which the daemon mirrors.
pub(crate) const BEGIN: &str = "
finding: 295-I4
steps:
  - load_image: {image: base, tags: ['base:1']}
  - create_container: {name: made, image: base}
  - create_volume: {name: data}
  - app: {running: true}
  - settle
";

pub(crate) const CUT: &str = "
  - guest: power_cut
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - guest: power_on
  - settle
";

pub(crate) const RESET: &str = "
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

pub(crate) const UNPLUG: &str = "
  - guest: nic_down
  - create_volume: {name: unheard}
  - guest: nic_up
  - settle
";

pub(crate) const FORWARD: &str = "
  - guest: kill_forward
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - guest: forward
  - settle
";

/// Each fault and its end, or what its schedule does besides.
const CLOCK: &str = "
  - guest: {clock: {ahead_s: 86400}}
  - create_volume: {name: tomorrow}
  - guest: kill_forward
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - guest: forward
  - settle
  - guest: {clock: {behind_s: 172800}}
  - create_volume: {name: yesterday}
  - settle
";

const SCARCE_AND_SLOW: &str = "
  - guest: {memory: scarce}
  - create_volume: {name: cramped}
  - guest: {memory: normal}
  - guest: {disk: slow}
  - create_volume: {name: slowly}
  - guest: {disk: normal}
  - guest: {disk: full}
  - touch: {times: 3}
  - guest: {disk: normal}
  - create_volume: {name: with-room}
  - settle
";

const FAILING: &str = "
  - guest: {disk: failing}
  - create_volume: {name: lost, refused: 'create lost: '}
  - guest: {disk: normal}
  - guest: panic
  - guest: forward
  - settle
";

#[track_caller]
fn history(place: &Place, schedule: &str) -> Vec<Value> {
    history_on("vm", place, schedule)
}

/// Runs a schedule on an engine in a guest, which must pass, and returns its history.
#[track_caller]
pub(crate) fn history_on(engine: &str, place: &Place, schedule: &str) -> Vec<Value> {
    let file = place.path().join("guest.yaml");
    std::fs::write(&file, schedule).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep", "--engine", engine]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complaint}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
    let journal = place.journal();
    journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The records from the beginning of the step with this index to its end.
pub(crate) fn during(history: &[Value], index: u64) -> &[Value] {
    let at = |what: &str| {
        let is_it = |record: &Value| record["what"] == what && record["index"] == index;
        history.iter().position(is_it).unwrap()
    };
    &history[at("step_began")..=at("step_done")]
}

/// How often a process of the world began or ended.
pub(crate) fn lives(history: &[Value], name: &str) -> usize {
    let is_it = |record: &&Value| record["what"] == "process" && record["name"] == name;
    history.iter().filter(is_it).count()
}

/// The texts of the notes.
pub(crate) fn notes(records: &[Value]) -> Vec<&str> {
    let notes = records.iter().filter(|record| record["what"] == "note");
    notes.filter_map(|record| record["text"].as_str()).collect()
}

/// The last time at which the engine says that it created a volume, and the one that the mirror has.
fn created(history: &[Value], name: &str) -> [String; 2] {
    let time = |of: &dyn Fn(&Value) -> Option<String>| {
        history.iter().rev().find_map(of).unwrap_or_else(|| panic!("{name} is not there"))
    };
    let by_engine = |record: &Value| {
        Some(record["volumes"][name]["details"]["created_at"].as_str()?.to_owned())
    };
    let by_mirror = |record: &Value| {
        let status = &record["object"]["status"];
        if status["name"] != name {
            return None;
        }
        Some(status["createdAt"].as_str()?.to_owned())
    };
    [time(&by_engine), time(&by_mirror)]
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

// The engine is right about the time: mirrors have that of the guest, and the daemon that connects again
// subscribes by it, which an oracle compares with the clock that the steps have set.
#[test]
fn after_a_jump_of_the_clock_mirrors_have_the_time_of_the_guest() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{CLOCK}"));
    let days = ["data", "tomorrow", "yesterday"].map(|name| {
        let [engine, mirror] = created(&history, name);
        assert_eq!(engine, mirror, "{name}");
        day(&engine)
    });
    assert_eq!(days.map(|day| day - days[0]), [0, 1, -1]);
    assert_eq!(lives(&history, "engine"), 2, "one engine");
}

/// The number of the day of a time like `2026-11-30T21:03:38Z`.
fn day(time: &str) -> i64 {
    let time: k8s_openapi::jiff::Timestamp = time.parse().unwrap();
    time.as_second() / 86_400
}

// Each step has seen its effect in the guest before it ends, and would have failed without. The engine
// has lost nothing: what was written while there was no room is written when there is.
#[test]
fn a_guest_with_scarce_memory_and_a_slow_or_full_disk_loses_nothing() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{SCARCE_AND_SLOW}"));
    let said = notes(&history).join("\n");
    for effect in ["MiB of memory", "reads of the guest's disk", "QEMU holds the machine"] {
        assert!(said.contains(effect), "{said}");
    }
    assert!(!has_wire(during(&history, 12), "response"), "nobody answers without room");
    for name in ["cramped", "slowly", "with-room"] {
        let [engine, mirror] = created(&history, name);
        assert_eq!(engine, mirror, "{name}");
    }
    assert_eq!(lives(&history, "engine"), 2, "one engine");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
}

// The engine reports the error of the disk. Its file system is read-only from then on, until the kernel
// panics and the guest boots from a disk that works. Whether the engine then has the refused volume, or the
// one that it acknowledged shortly before, is its own matter: the mirrors must be what it has.
#[test]
fn a_disk_that_fails_refuses_a_volume_and_a_panic_boots_the_guest() {
    let place = Place::new();
    let history = history(&place, &format!("{BEGIN}{FAILING}"));
    let said = notes(during(&history, 6)).join("\n");
    let errors = ["input/output error", "read-only file system"];
    assert!(errors.iter().any(|error| said.contains(error)), "{said}");
    assert_eq!(lives(during(&history, 8), "engine"), 2, "one ended, and the next one started");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
    let console = std::fs::read_to_string(place.evidence().unwrap().join("guest.log")).unwrap();
    for line in ["I/O error, dev vda", "Kernel panic - not syncing: sysrq triggered crash", "s: up"]
    {
        assert!(console.contains(line), "{line} is on the serial console: {console}");
    }
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

// From the start of QEMU on, a boot makes something new all the time. The seed decides the instant, which is
// early enough for the fastest machine: a run that has passed has no evidence.
#[rstest]
#[case::of_seed_1(1)]
#[case::of_seed_2(2)]
fn nothing_is_left_after_sigkill_at_an_instant_of_the_boot(#[case] seed: u64) {
    let place = Place::new();
    let mut child = place.racetrap(&["run", "295-I3", "--engine", "vm"]).spawn().unwrap();
    wait_within(Duration::from_secs(900), "the start of QEMU", || {
        let journal = place.journal();
        if journal.contains("\"name\":\"engine-machine\"") { Ok(()) } else { Err(journal) }
    });
    let after = Duration::from_millis(seed * 2_654_435_761 % 3_000);
    let began = Instant::now();
    wait_until("the instant", || {
        let passed = began.elapsed();
        if passed >= after { Ok(()) } else { Err(format!("{passed:?} of {after:?}")) }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the watcher's sweep", || {
        let left = place.leftovers();
        if left.is_empty() { Ok(()) } else { Err(format!("{after:?} in: {}", left.join("\n"))) }
    });
    assert!(place.evidence().unwrap().join("swept.txt").exists());
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
