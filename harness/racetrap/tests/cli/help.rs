use crate::sandbox::{Sandbox, outcome, snapshot};

/// Compares the whole text, so that every new or removed option and exit code is noticed.
#[test]
fn help_names_every_command_and_exit_code() {
    let sandbox = Sandbox::new();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["--help"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    snapshot("help", &stdout);
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&["run", "--help"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    snapshot("help-run", &stdout);
}

/// One wrong argument of each kind. If any of them succeeded, a misspelt option would be ignored in
/// CI.
#[test]
fn bad_usage_is_told_on_standard_error_with_exit_code_2() {
    let sandbox = Sandbox::new();
    for arguments in [
        ["fly", "high"].as_slice(),
        &[],
        &["run", "--no-such-option"],
        &["run", "--jobs", "0"],
        &["run", "--deadline", "0"],
        &["run", "--vm", "real"],
        &["list", "--format", "xml"],
        &["repro"],
    ] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(arguments));
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("Usage:") || stderr.contains("--help"), "{arguments:?}: {stderr}");
    }
}
