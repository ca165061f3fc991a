//! The engine's own ends: killed, started again on the same data, frozen and thawed; on every
//! engine that there is.

use rstest::rstest;

use crate::place::Place;

/// A container runs; the engine is killed under it, comes back, and is frozen for a while. What the
/// engine holds after each is what must be mirrored, by the same mirrors.
pub(crate) const SCHEDULE: &str = "
finding: 295-I4
steps:
  - load_image: {image: base, tags: ['base:1']}
  - create_container: {name: running, image: base, start: true}
  - create_volume: {name: data}
  - app: {running: true}
  - settle
  - engine: kill
  - await: {condition: {type: ContainerEngineReady, status: 'False'}}
  - engine: start
  - settle
  - engine: freeze
  - engine: thaw
  - settle
";

// dockerd is killed by SIGKILL and keeps its namespace, so that its containers' processes outlive it
// for a moment, as on a real machine; the daemon must reconnect to the next one and lose no mirror.
// What the engine says of itself is in the history, so that no other one can have stood in for it.
#[rstest]
#[case::of_the_machine("dockerd", "")]
#[case::of_26_1("dockerd:26.1+overlay2", "dockerd 26.1")]
#[case::of_26_1_with_containerds_store("dockerd:26.1+containerd", "dockerd 26.1")]
#[case::of_28_5("dockerd:28.5+overlay2", "dockerd 28.5")]
#[case::of_28_5_with_containerds_store("dockerd:28.5+containerd", "dockerd 28.5")]
fn mirrors_survive_an_engine_that_is_killed_started_again_and_frozen(
    #[case] engine: &str,
    #[case] version: &str,
) {
    let place = Place::new();
    let file = place.path().join("engine.yaml");
    std::fs::write(&file, SCHEDULE).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep", "--engine", engine]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complaint}");
    let journal = place.journal();
    let engines = journal.matches("\"name\":\"engine\"").count();
    assert_eq!(engines, 4, "two engines began and ended: {journal}");
    assert!(journal.contains("ConnectFailed"), "the daemon noticed: {journal}");
    assert!(journal.contains(&format!("\"engine\":\"{version}")), "{version}: {journal}");
    let is_containerds = journal.contains("(containerd's ");
    assert_eq!(is_containerds, engine.ends_with("+containerd"), "{journal}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// The machine's engine is of another version than the one that stands in the cache under the name
// of 26.1 here: its programs are links to nothing. The run must not quietly take the machine's.
#[test]
fn an_engine_that_does_not_start_is_no_reason_to_take_another() {
    let place = Place::new();
    let engine = place.path().join("cache/racetrap/engines/26.1");
    std::fs::create_dir_all(engine.join("root/usr")).unwrap();
    let manifest = r#"{"version": "26.1", "package": "26.1", "fetched_bytes": 0, "bytes": 0}"#;
    std::fs::write(engine.join("engine.json"), manifest).unwrap();
    let mut command = place.racetrap(&["run", "295-I5", "--engine", "dockerd:26.1"]);
    let output = command.env("XDG_CACHE_HOME", place.path().join("cache")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
