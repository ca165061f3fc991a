//! The version, shell completions, the man page, and one finding in words.

use crate::sandbox::{Sandbox, outcome};

#[track_caller]
fn said(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = outcome(&mut Sandbox::new().racetrap(arguments));
    assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
    stdout
}

#[test]
fn the_version_names_the_commit_or_says_that_it_is_unknown() {
    let version = said(&["--version"]);
    assert!(version.starts_with("racetrap 0.1.0 (commit "), "{version}");
}

/// Each shell reads its script without complaint if it is installed; bash completes by it.
#[test]
fn there_are_completions_for_each_shell_and_bash_completes_by_them() {
    for (shell, mark) in
        [("bash", "complete -F"), ("zsh", "#compdef racetrap"), ("fish", "complete -c")]
    {
        let script = said(&["completions", shell]);
        assert!(script.contains(mark), "{shell}: {script}");
    }
    let script = said(&["completions", "bash"])
        + "\nCOMP_WORDS=(racetrap ma); COMP_CWORD=1; _racetrap racetrap ma racetrap\n\
           echo \"${COMPREPLY[*]}\"\n";
    let mut bash = assert_cmd::Command::new("bash");
    let (code, stdout, stderr) = outcome(bash.arg("-c").arg(script));
    assert_eq!((code, stderr.as_str(), stdout.as_str()), (0, "", "matrix man\n"));
}

#[test]
fn the_man_page_has_every_command_and_every_exit_code() {
    let page = said(&["man"]);
    for part in [".TH racetrap", "matrix", "\\-\\-older\\-than", "Exit codes", "130"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_finding_is_shown_with_its_schedule_in_words_and_the_commands_that_run_it() {
    let finding = said(&["list", "295-I3"]);
    for part in [
        "295-I3  changes between",
        "held       GET /events, its request",
        "meanwhile  create volume in-the-gap",
        "judged by  convergence (promises ",
        "run it     racetrap repro 295-I3\n",
        "break it   racetrap repro 295-I3 --defect 295-I3\n",
    ] {
        assert!(finding.contains(part), "{part}: {finding}");
    }
    let several = said(&["list", "295-I[34]"]);
    assert_eq!(several.matches("judged by").count(), 2, "{several}");
}
