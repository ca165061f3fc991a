//! What a terminal gets: colours, lines as wide as it is, and a bar while runs go on.

use crate::sandbox::{Sandbox, outcome, program};

/// Runs racetrap in a terminal with so many columns, by script(1), and returns what the terminal got.
#[track_caller]
fn in_terminal(columns: usize, term: &str, arguments: &str) -> String {
    let sandbox = Sandbox::new();
    let mut command = assert_cmd::Command::new("script");
    let line = format!("stty cols {columns} rows 40; exec {} {arguments}", program());
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.current_dir(sandbox.path()).env_remove("NO_COLOR").env("TERM", term);
    command.env("HOME", sandbox.path()).env("RACETRAP_CALLED", "racetrap");
    let (code, stdout, _) = outcome(&mut command);
    assert!([0, 2, 3].contains(&code), "{stdout}");
    stdout.replace('\r', "")
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or_default()
}

#[test]
fn lists_are_folded_to_the_width_of_the_terminal_and_not_at_all_without_one() {
    for columns in [80, 160] {
        let list = in_terminal(columns, "dumb", "list");
        assert!(widest(&list) <= columns, "{columns}: {list}");
        let finding = in_terminal(columns, "dumb", "list 295-I3");
        let folded =
            finding.lines().filter(|line| !line.contains("it   ") && !line.contains("break"));
        assert!(folded.map(str::len).max() <= Some(columns), "{columns}: {finding}");
        let doctor = in_terminal(columns, "dumb", "run 295-i3");
        assert!(widest(&doctor) <= columns.min(100), "{columns}: {doctor}");
    }
    let (_, stdout, _) = outcome(&mut Sandbox::new().racetrap(&["list"]));
    assert!(widest(&stdout) > 100, "a pipe gets one line for each finding");
}

#[test]
fn colours_are_for_a_terminal_that_knows_them_unless_the_user_says_otherwise() {
    assert!(in_terminal(80, "xterm", "list").contains('\u{1b}'));
    assert!(!in_terminal(80, "dumb", "list").contains('\u{1b}'));
    assert!(!in_terminal(80, "xterm", "list --color never").contains('\u{1b}'));
    assert!(in_terminal(80, "dumb", "list --color always").contains('\u{1b}'));
    let sandbox = Sandbox::new();
    let (_, stdout, _) = outcome(&mut sandbox.racetrap(&["list", "--color", "always"]));
    assert!(stdout.contains('\u{1b}'), "the user's word comes before NO_COLOR");
    let (_, stdout, _) = outcome(sandbox.racetrap(&["list"]).env_remove("NO_COLOR"));
    assert!(!stdout.contains('\u{1b}'), "a pipe is no terminal");
}

/// The daemon is none, so that the cells end at once.
const MATRIX: &str = "matrix 295-I6 295-I3 --daemon /bin/false";

#[test]
fn a_terminal_gets_a_bar_and_a_dumb_one_gets_lines() {
    let bar = in_terminal(100, "xterm", MATRIX);
    assert!(bar.contains(" running: 295-I"), "{bar}");
    let lines = in_terminal(100, "dumb", MATRIX);
    assert!(lines.contains("1/4 WRONG 295-I"), "{lines}");
    assert!(!lines.contains('\u{1b}') && !lines.contains('\u{8}'), "{lines}");
}

/// Without a terminal, each cell is a line on standard error as it ends, also if standard output gets
/// JSON at the end; and a finding that is wrong is printed with its schedule.
#[test]
fn a_matrix_says_on_standard_error_how_each_cell_ended() {
    for format in ["human", "json"] {
        let sandbox = Sandbox::new();
        let arguments = ["matrix", "295-I6", "--daemon", "/bin/false", "--format", format];
        let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
        assert_eq!(code, 3, "{stderr}");
        for line in ["1/2 WRONG 295-I6 ", "2/2 WRONG 295-I6 "] {
            assert!(stderr.lines().any(|it| it.starts_with(line)), "{format}: {stderr}");
        }
        assert!(!stdout.contains("1/2"), "{stdout}");
    }
}

/// One cause, told with the first of five runs and at the end.
#[test]
fn a_cause_that_all_runs_share_is_told_once() {
    let sandbox = Sandbox::new();
    let ids = ["295-I1", "295-I2", "295-I3", "295-I4", "295-I5"];
    let arguments = [&["run", "--daemon", "/bin/false", "--jobs", "1"], ids.as_slice()].concat();
    let (code, stdout, stderr) = outcome(&mut sandbox.racetrap(&arguments));
    assert_eq!(code, 3, "{stderr}");
    assert_eq!(stdout.matches("the same cause as 295-I1, above").count(), 4, "{stdout}");
    assert!(stdout.contains("UNKNOWN 5 runs: 295-I1, 295-I2, 295-I3, 295-I4, 295-I5"), "{stdout}");
    assert_eq!(stdout.matches("the world could not be made").count(), 2, "{stdout}");
}
