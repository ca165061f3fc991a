//! Laws on code of one platform and on processes: each is in one folder.

use super::Tree;
use super::source::{is_test, production};

const RACETRAP: &str = "harness/racetrap/src/";

/// The only folder that may use what only Linux has.
const SYS: &str = "harness/racetrap/src/sys/";

/// The files that start processes.
const STARTS: [&str; 2] = [
    // Processes of a world.
    "harness/racetrap/src/process/child.rs",
    // Programs outside any world that are run for their output.
    "harness/racetrap/src/process/ask.rs",
];

fn ours(tree: &Tree) -> impl Iterator<Item = (&String, String)> {
    let files = tree.iter().filter(|(path, _)| path.starts_with(RACETRAP) && path.ends_with(".rs"));
    files.filter(|(path, _)| !is_test(path)).map(|(path, text)| (path, production(text)))
}

pub(super) fn only_sys_knows_linux(tree: &Tree) -> Vec<String> {
    const MARKS: [&str; 6] = [
        concat!("\"/pr", "oc"),
        concat!("std::os::un", "ix"),
        concat!("std::os::lin", "ux"),
        concat!("os::{un", "ix"),
        concat!("rustix::pro", "cess"),
        concat!("procf", "s::"),
    ];
    let mut wrong = Vec::new();
    for (path, code) in ours(tree).filter(|(path, _)| !path.starts_with(SYS)) {
        let mark_in = |line: &str| MARKS.into_iter().find(|mark| line.contains(mark));
        let lines = code.lines().enumerate();
        let found = lines.filter_map(|(at, line)| Some((at + 1, mark_in(line)?)));
        wrong.extend(found.map(|(line, mark)| format!("{path}:{line}: {mark} outside {SYS}")));
    }
    wrong
}

/// A response has a method `status()` too, so `.status()` counts only in a file that makes commands.
pub(super) fn only_their_owners_start_processes(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, code) in ours(tree).filter(|(path, _)| !STARTS.contains(&path.as_str())) {
        let makes_commands = code.contains("Command::new");
        let starts = |line: &str| {
            let status = makes_commands && line.contains(".status()");
            status || line.contains(".spawn()") || line.contains(".output()")
        };
        let lines = code.lines().enumerate().filter(|(_, line)| starts(line));
        wrong.extend(lines.map(|(line, _)| format!("{path}:{}: starts a process", line + 1)));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn what_only_linux_has_is_found_outside_its_folder() {
        let linux = concat!("use std::os::un", "ix::fs::symlink;\n");
        let test = format!("#[cfg(test)]\nmod tests {{\n    {linux}}}\n");
        check(
            only_sys_knows_linux,
            &[("harness/racetrap/src/sys/a.rs", linux), ("harness/racetrap/src/b.rs", &test)],
            &[("harness/racetrap/src/b.rs", linux)],
            &[concat!(
                "harness/racetrap/src/b.rs:1: std::os::un",
                "ix outside harness/racetrap/src/sys/"
            )],
        );
    }

    #[test]
    fn a_process_that_somebody_else_starts_is_found() {
        // `status()` of a response starts nothing; `status()` of a command does.
        let bad = "let mut c = Command::new(a);\nc.status();\nc.spawn();\n";
        check(
            only_their_owners_start_processes,
            &[(STARTS[0], bad), ("harness/racetrap/src/a.rs", "response.status();\n")],
            &[("harness/racetrap/src/a.rs", bad)],
            &[
                "harness/racetrap/src/a.rs:2: starts a process",
                "harness/racetrap/src/a.rs:3: starts a process",
            ],
        );
    }
}
