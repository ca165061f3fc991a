use serde_json::Value;

use crate::sandbox::{Sandbox, outcome, program};

/// This program stands in for a daemon and ends at once. That proves nothing about the daemon's
/// promises, so the run must be unknown and show what the program printed.
#[test]
fn a_daemon_that_ends_at_its_start_is_unknown_with_exit_code_3() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I6", "--daemon", program(), "--format", "json"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stdout}{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let run = &object["runs"][0];
    assert_eq!(object["daemon"]["knows_defects"], false);
    assert_eq!(run["verdict"], "unknown");
    let why = run["unknowns"][0].as_str().unwrap();
    assert!(why.contains("`svc paths` exited") && why.contains("unrecognized"), "{why}");
    assert!(std::path::Path::new(run["evidence"].as_str().unwrap()).is_dir());
}

/// A daemon without defects has no cells for them; the command must say that this is not the whole
/// matrix.
#[test]
fn a_matrix_without_defects_has_a_cell_and_a_control_a_finding_and_says_why() {
    let sandbox = Sandbox::new();
    let arguments = ["matrix", "295-I6", "--daemon", program(), "--format", "json"];
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stdout}{stderr}");
    assert!(
        stderr.contains("knows no defects, so only the cells of the correct daemon"),
        "{stderr}"
    );
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let cells = object["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    let again = cells[0]["again"].as_str().unwrap();
    assert_eq!(again, format!("racetrap repro 295-I6 --daemon {}", program()));
    assert_eq!((&cells[0]["daemon"], &cells[0]["right"]), (&"correct".into(), &false.into()));
    let again = cells[1]["again"].as_str().unwrap();
    assert_eq!(again, format!("racetrap repro 295-I6 --control --daemon {}", program()));
    assert_eq!((&cells[1]["daemon"], &cells[1]["right"]), (&"control".into(), &false.into()));
}
