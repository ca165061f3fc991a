//! Engines that are killed, started again on the same data, frozen and thawed: every engine that
//! the harness supports.

use rstest::rstest;

use crate::place::Place;

/// While a container runs, the engine is killed, started again, and frozen for a while. After each
/// of these, the mirrors must match the engine's objects, and must be the same mirrors as before.
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

// dockerd gets SIGKILL, but its namespace stays, so that the processes of its containers outlive it
// as on a real machine. The daemon must connect to the next engine and lose no mirror. The history
// has the version that the engine itself reports, which proves that no other engine was used.
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
    assert_eq!(engines, 4, "two engines started and ended: {journal}");
    assert!(journal.contains("ConnectFailed"), "the daemon has noticed the end: {journal}");
    assert!(journal.contains(&format!("\"engine\":\"{version}")), "{version}: {journal}");
    let is_containerds = journal.contains("(containerd's ");
    assert_eq!(is_containerds, engine.ends_with("+containerd"), "{journal}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// Only containerd's store keeps what is for another processor than the engine's.
#[rstest]
#[case::overlay("dockerd", 1)]
#[case::containerds("dockerd:28.5+containerd", 0)]
fn an_image_for_several_platforms_has_all_that_the_engine_keeps(
    #[case] engine: &str,
    #[case] exit: i32,
) {
    let place = Place::new();
    let file = place.path().join("platforms.yaml");
    let schedule = format!(
        "
finding: 295-I4
needs: {{docker: {{}}}}
steps:
  - endpoint: unix
  - load_image: {{image: many, tags: ['many:1'], platforms: [linux/s390x, linux/amd64, linux/arm64]}}
  - docker: {{arguments: [-H, '{{endpoint}}', create, --pull, never, --platform, linux/s390x, 'many:1'], exit: {exit}}}
  - app: {{running: true}}
  - settle
"
    );
    std::fs::write(&file, schedule).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--engine", engine]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

// The cache has an engine 26.1 without programs, and the machine has an engine of another version.
// The run must not use that one instead.
#[test]
fn an_engine_that_does_not_start_is_not_replaced_by_another() {
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
