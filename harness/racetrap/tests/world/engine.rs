//! The engine's own ends: killed, started again on the same data, frozen and thawed.

use crate::place::Place;

/// A container runs; the engine is killed under it, comes back, and is frozen for a while. What the
/// engine holds after each is what must be mirrored, by the same mirrors.
const SCHEDULE: &str = "
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
#[test]
fn mirrors_survive_an_engine_that_is_killed_started_again_and_frozen() {
    let place = Place::new();
    let file = place.path().join("engine.yaml");
    std::fs::write(&file, SCHEDULE).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let journal = place.journal();
    let engines = journal.matches("\"name\":\"engine\"").count();
    assert_eq!(engines, 4, "two engines began and ended: {journal}");
    assert!(journal.contains("ConnectFailed"), "the daemon noticed: {journal}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
