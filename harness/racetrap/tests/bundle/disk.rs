//! A disk that becomes full while the bundle is written.

use std::process::{Command, Stdio};

use racetrap::bundle::State;

use crate::checked::Bundle;
use crate::place::Place;

// The evidence is on a file system of 384 KiB. The manifest has reserved 128 KiB of it, and a
// complete bundle needs more than the rest. The file system exists only in a mount namespace, so
// the evidence is copied out of it at the end.
#[test]
fn files_that_do_not_fit_on_a_full_disk_are_missing_in_the_manifest() {
    let place = Place::new();
    let script = "mkdir \"$1/full\" && mount -t tmpfs -o size=384k full \"$1/full\" || exit 99; \
                  \"$2\" run 295-I3 --defect 295-I3 --evidence \"$1/full\"; code=$?; \
                  cp -r \"$1/full\" \"$1/evidence\"; exit $code";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(place.path())
        .arg(env!("CARGO_BIN_EXE_racetrap"))
        .env("TMPDIR", place.path())
        .env("HOME", place.path().join("home-of-the-user"))
        .env_remove("RDD_BIN")
        .current_dir(place.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // The broken promise outweighs the evidence that is not complete.
    assert_eq!(output.status.code(), Some(1), "{said}");
    let bundle = Bundle::in_directory(&place.evidence().unwrap());
    let entries = &bundle.manifest.entries;
    let is_full =
        |why: &Option<String>| why.as_ref().is_some_and(|it| it.contains("No space left"));
    let full: Vec<_> = entries.iter().filter(|entry| is_full(&entry.why)).collect();
    assert!(full.iter().all(|entry| entry.state == State::Missing), "{full:?}");
    assert!(!full.is_empty(), "{entries:#?}");
    assert!(entries.iter().any(|entry| entry.state == State::There && entry.bytes > 0));
}
