//! Deadlines that contradict each other, and runs that exceed theirs.

use std::path::Path;

use racetrap_history::Judgement;
use serde_json::Value;

use crate::sandbox::{Sandbox, outcome};

/// Nothing may start: the message must name both numbers, and there must be no evidence.
#[test]
fn deadlines_that_leave_no_room_for_each_other_are_refused_with_exit_code_2() {
    let sandbox = Sandbox::new();
    for command in ["run", "repro", "matrix"] {
        let step = [command, "295-I3", "--deadline", "40", "--run-deadline", "40"];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&step));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains("a step may take 40 s"), "{stderr}");
        assert!(stderr.contains("the whole run, with its world, no more than 40 s"), "{stderr}");

        let killed = [command, "295-I3", "--run-deadline", "100", "--killed-after", "160"];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&killed));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        for part in ["a run may take 100 s", "60 s more", "killed after 160 s"] {
            assert!(stderr.replace("\n  │ ", " ").contains(part), "{part}: {stderr}");
        }
        assert!(!sandbox.path().join(".racetrap").exists());
    }
}

/// A scenario of many steps, each of which ends at once, so that only the run's own deadline can
/// end it.
const ENDLESS: &str = "\
finding: 295-I6
steps:
  - app: {running: true}
  - settle
  - touch: {times: 4000000000}
  - settle
";

#[test]
fn a_run_that_does_not_end_in_time_is_unknown_and_leaves_its_evidence() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("endless.yaml"), ENDLESS).unwrap();
    let arguments = ["run", "endless.yaml", "--deadline", "14", "--run-deadline", "15"];
    let (code, stdout, stderr) =
        outcome(&mut sandbox.racetrap(&[arguments.as_slice(), &["--format", "json"]].concat()));
    assert_eq!(code, 3, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let run = &object["runs"][0];
    let why = run["unknowns"][0].as_str().unwrap();
    assert!(why.starts_with("step 3: "), "{why}");
    assert!(why.ends_with("the run did not end within its 15 s"), "{why}");
    assert_eq!(run["again"], "racetrap repro endless.yaml --deadline 14 --run-deadline 15");
    let evidence = Path::new(run["evidence"].as_str().unwrap());
    let verdict = std::fs::read(evidence.join("verdict.json")).unwrap();
    let judgement: Judgement = serde_json::from_slice(&verdict).unwrap();
    assert_eq!(judgement.unknowns[0].text, why);
    let timeline = std::fs::read_to_string(evidence.join("timeline.txt")).unwrap();
    assert!(timeline.ends_with("world closed\n"), "{timeline}");
}

/// A daemon that never prints anything.
fn mute(sandbox: &Sandbox) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = sandbox.path().join("mute");
    let script = "#!/bin/sh\ncase $1 in svc) exec tail -f /dev/null ;; *) exit 1 ;; esac\n";
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::write(&path, script).expect("a file can be written");
    std::fs::set_permissions(&path, executable).expect("it is ours");
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// The world of such a daemon is never complete, so no step begins, and the verdict must still
/// exist.
#[test]
fn a_world_that_is_not_made_in_time_leaves_a_verdict_that_says_so() {
    let sandbox = Sandbox::new();
    let daemon = mute(&sandbox);
    let arguments = ["run", "295-I6", "--daemon", &daemon, "--deadline", "1"];
    let limits = ["--run-deadline", "2", "--format", "json"];
    let (code, stdout, stderr) =
        outcome(&mut sandbox.racetrap(&[arguments.as_slice(), &limits].concat()));
    assert_eq!(code, 3, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let run = &object["runs"][0];
    let why = run["unknowns"][0].as_str().unwrap();
    assert!(why.starts_with("the run did not end within its 2 s, before the world was"), "{why}");
    let evidence = Path::new(run["evidence"].as_str().unwrap());
    assert!(evidence.join("verdict.json").is_file());
    let timeline = std::fs::read_to_string(evidence.join("timeline.txt")).unwrap();
    assert!(timeline.contains("the run did not end within its 2 s"), "{timeline}");
}

/// Five runs of two seconds do not fit into the three seconds that are left before evidence must be
/// captured.
#[test]
fn a_harness_that_will_be_killed_ends_by_itself_before_that_and_reports() {
    let sandbox = Sandbox::new();
    let daemon = mute(&sandbox);
    let arguments = ["run", "295-I6", "--rounds", "5", "--jobs", "1", "--daemon", &daemon];
    let limits = ["--deadline", "1", "--run-deadline", "2", "--killed-after", "63"];
    let arguments = [arguments.as_slice(), &limits, &["--format", "json"]].concat();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let last = &object["runs"][4];
    let why = "not begun: the harness was told to stop by its own deadline";
    assert_eq!(last["unknowns"][0], why, "{object}");
}
