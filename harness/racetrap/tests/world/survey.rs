//! `racetrap survey`: one scenario on a revision with its defect and on one without.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::place::{Place, output_without_canaries};

/// The reference daemon as the program of a revision, with these defects.
fn revision(program: &Path, defects: &str) {
    let reference = Path::new(env!("CARGO_BIN_EXE_racetrap")).with_file_name("rdd-reference");
    let text = format!("#!/bin/sh\nRDD_DEFECT={defects} exec '{}' \"$@\"\n", reference.display());
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(program, text).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_survey_tells_a_broken_revision_from_a_repaired_one() {
    let place = Place::new();
    let programs = place.path().join("programs");
    revision(&programs.join("1-broken"), "295-I4");
    revision(&programs.join("2-repaired/rdd"), "");
    let survey = |format: &str| {
        let arguments = ["survey", "programs", "295-I4", "--format", format];
        let output = output_without_canaries(place.racetrap(&arguments).spawn().unwrap());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let object: Value = serde_json::from_str(&survey("json")).unwrap();
    let revisions = object["revisions"].as_array().unwrap();
    let seen: Vec<_> =
        revisions.iter().map(|it| (&it["revision"], &it["runs"][0]["verdict"])).collect();
    assert_eq!(
        seen,
        [(&json!("1-broken"), &json!("fail")), (&json!("2-repaired"), &json!("pass"))]
    );
    let text = survey("human");
    assert!(text.contains("295-I4: fail: identity -> pass"), "{text}");
    let page = fs::read_to_string(place.path().join("evidence/index.html")).unwrap();
    assert!(page.contains("2-repaired"), "each revision is a column");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
