use crate::sandbox::{Sandbox, outcome, program, snapshot};

/// Gives every command that takes ids one that is nearly right.
#[test]
fn an_unknown_selector_names_the_ids_that_exist_with_exit_code_2() {
    let sandbox = Sandbox::new();
    for command in ["run", "repro", "matrix"] {
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&[command, "295-I33"]));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains("no finding matches `295-I33`"), "{stderr}");
        let known = stderr.split("the nearest are ").nth(1).unwrap();
        assert!(known.starts_with("`295-I3`"), "the nearest comes first: {stderr}");
        assert_eq!(stderr.matches("`295-").count(), 4, "itself and three more: {stderr}");
    }
}

/// A glob that matches several findings.
#[test]
fn repro_refuses_to_choose_between_several_findings() {
    let sandbox = Sandbox::new();
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&["repro", "295-I[34]"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("`295-I[34]` names several findings: 295-I3, 295-I4"), "{stderr}");
}

/// Named by option and by variable; the message must say which of them is wrong.
#[test]
fn a_daemon_that_is_not_there_is_told_with_exit_code_2() {
    let sandbox = Sandbox::new();
    let mut by_option = sandbox.racetrap(&["run", "295-I3", "--daemon", "no/such/rdd"]);
    let mut by_variable = sandbox.racetrap(&["run", "295-I3"]);
    by_variable.env("RDD_BIN", "no/such/rdd");
    for (command, by) in [(&mut by_option, "--daemon"), (&mut by_variable, "RDD_BIN")] {
        let (code, _, stderr) = outcome(command);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("names no/such/rdd, which is not a program"), "{stderr}");
        assert!(stderr.contains(&format!("{by} names")), "{stderr}");
    }
}

/// A directory, and a text file that is not executable.
#[test]
fn a_daemon_that_is_no_program_is_told_with_exit_code_2() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("text"), "text").unwrap();
    for named in [".", "text"] {
        let mut command = sandbox.racetrap(&["run", "295-I3"]);
        let (code, _, stderr) = outcome(command.env("RDD_BIN", named));
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(&format!("names {named}, which is not a program")), "{stderr}");
    }
}

/// This program fails at the command `defects`, as a daemon without defects does.
#[test]
fn a_defect_of_a_daemon_that_has_none_is_refused_with_exit_code_2() {
    let sandbox = Sandbox::new();
    let arguments = ["run", "295-I3", "--daemon", program(), "--defect", "295-I3"];
    let (code, _, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 2, "{stderr}");
    snapshot("no-defects", &stderr);
}
