//! Engines in a guest that an installed Lima boots.
//!
//! Lima is in no package of Debian, and Racetrap neither fetches nor builds it. So these tests have a lane of
//! their own in `scripts/test`, which names them by this module, and says so where there is no `limactl`; they
//! fail without it. The guest boots in each of them, which takes half a minute to two minutes if software
//! emulates it.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::engine::SCHEDULE;
use crate::guest::{BEGIN, CUT, FORWARD, RESET, UNPLUG, during, history_on, lives, notes};
use crate::place::{Place, wait_until, wait_within};

// The same schedule as on all other engines: dockerd is killed, started and frozen in its guest.
#[test]
fn mirrors_survive_the_engine_of_limas_guest_that_is_killed_started_again_and_frozen() {
    let place = Place::new();
    let history = history_on("lima", &place, SCHEDULE);
    assert_eq!(lives(&history, "engine"), 4, "two engines started and ended");
    assert_eq!(lives(&history, "engine-hostagent"), 2, "one hostagent");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
    assert_eq!(lives(&history, "engine-forward"), 0, "Lima forwards the socket");
    let evidence = place.evidence().unwrap();
    let log = |name: &str| std::fs::read_to_string(evidence.join(name)).unwrap();
    assert!(log("engine.log").contains("API listen on"), "{}", log("engine.log"));
    assert!(log("lima-vm-serial.log").contains("s: up"), "{}", log("lima-vm-serial.log"));
    let hostagent = log("lima-vm-ha.stderr.log");
    assert!(hostagent.contains("Forwarding \\\"/run/docker.sock\\\""), "{hostagent}");
    assert!(log("lima-limactl.log").contains("Running the host agent"));
    assert_eq!(titled(&place), Vec::<String>::new());
}

#[test]
fn after_a_power_cut_lima_boots_the_guest_from_its_disk() {
    let place = Place::new();
    let history = history_on("lima", &place, &format!("{BEGIN}{CUT}"));
    for process in ["engine-machine", "engine-hostagent", "engine"] {
        assert_eq!(lives(&history, process), 4, "two of {process} started and ended");
    }
    assert_eq!(titled(&place), Vec::<String>::new());
}

// The forward of Lima hangs after the reset, and Lima replaces none that has ended.
#[rstest]
#[case::that_hangs(RESET, 4)]
#[case::that_has_ended(FORWARD, 2)]
fn a_forward_of_lima_is_replaced_by_one_of_the_harness(
    #[case] schedule: &str,
    #[case] engines: usize,
) {
    let place = Place::new();
    let history = history_on("lima", &place, &format!("{BEGIN}{schedule}"));
    assert_eq!(lives(&history, "engine"), engines);
    assert_eq!(lives(&history, "engine-forward"), 2, "one forward of the harness");
    assert_eq!(lives(&history, "engine-machine"), 2, "one machine");
    assert_eq!(titled(&place), Vec::<String>::new());
}

// The truth has another network, so the history has the engine's event while the cable is unplugged.
#[test]
fn an_unplugged_network_of_lima_leaves_the_truth() {
    let place = Place::new();
    let history = history_on("lima", &place, &format!("{BEGIN}{UNPLUG}"));
    let unplugged = during(&history, 6);
    let told = |what: &str| {
        let is_told = |record: &&serde_json::Value| {
            record["what"] == what && record.to_string().contains("unheard")
        };
        unplugged.iter().any(|record| is_told(&record))
    };
    assert!(told("engine") && !told("wire"), "{unplugged:?}");
    assert!(notes(&history).iter().any(|text| text.contains("limactl has booted")));
}

// Neither the hostagent nor QEMU nor `ssh` end with the harness. The instants are those of a boot, which
// makes something new all the time, and of a run.
#[rstest]
#[case::while_lima_copies_the_image("engine-hostagent", 0)]
#[case::while_qemu_begins("engine-hostagent", 1_500)]
#[case::while_the_guest_boots("engine-hostagent", 9_000)]
#[case::while_the_engine_begins("engine-hostagent", 21_000)]
#[case::while_it_runs("engine-machine", 3_000)]
fn nothing_of_lima_is_left_after_sigkill(#[case] process: &str, #[case] after_ms: u64) {
    let place = Place::new();
    let mut child = place.racetrap(&["run", "295-I3", "--engine", "lima"]).spawn().unwrap();
    // Other runs may have both turns of the machine for some minutes.
    wait_within(Duration::from_secs(900), process, || {
        let journal = place.journal();
        if journal.contains(&format!("\"name\":\"{process}\"")) { Ok(()) } else { Err(journal) }
    });
    let began = Instant::now();
    wait_until("the instant", || {
        let passed = began.elapsed();
        if passed.as_millis() >= after_ms.into() { Ok(()) } else { Err(format!("{passed:?}")) }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the watcher's sweep", || {
        let mut left = place.leftovers();
        left.extend(titled(&place));
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
    let swept = std::fs::read_to_string(place.evidence().unwrap().join("swept.txt")).unwrap();
    assert!(swept.contains("limactl"), "{swept}");
}

/// The `ssh` of Lima in this place: it writes its title over its environment.
fn titled(place: &Place) -> Vec<String> {
    let title = format!("ssh: {}/", place.path().display());
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let commands = commands.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    commands.filter(|command| command.starts_with(&title)).collect()
}
