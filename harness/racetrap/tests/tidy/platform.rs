//! What only one platform has is in one place, and so are processes.

use super::Tree;
use super::source::{is_test, production};

const RACETRAP: &str = "harness/racetrap/src/";

/// The one folder that knows Linux.
const SYS: &str = "harness/racetrap/src/sys/";

/// Files outside `sys` that name what only Linux has, until it is moved there. Each must still need its
/// place in this list.
const NOT_MOVED_YET: [&str; 2] = [
    // Makes a link in the user's docker configuration.
    "harness/racetrap/src/docker/state.rs",
    // Asks which file systems the kernel has.
    "harness/racetrap/src/cli/checks.rs",
];

/// The files that start processes, each for its own reason.
const STARTS: [&str; 3] = [
    // Processes of a world.
    "harness/racetrap/src/process/child.rs",
    // Programs of apt, which `racetrap engine install` runs to their ends.
    "harness/racetrap/src/engine/apt.rs",
    // Programs that are asked for their version before there is a world.
    "harness/racetrap/src/cli/ask.rs",
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
    let mut needed = Vec::new();
    for (path, code) in ours(tree).filter(|(path, _)| !path.starts_with(SYS)) {
        for (line, text) in code.lines().enumerate() {
            let Some(mark) = MARKS.into_iter().find(|mark| text.contains(mark)) else { continue };
            if NOT_MOVED_YET.contains(&path.as_str()) {
                needed.push(path.as_str());
            } else {
                wrong.push(format!("{path}:{}: {mark} outside {SYS}", line + 1));
            }
        }
    }
    let moved = NOT_MOVED_YET.iter().filter(|path| tree.contains_key(**path));
    let moved = moved.filter(|path| !needed.contains(*path));
    wrong.extend(moved.map(|path| format!("{path}: is an exception and needs to be none")));
    wrong
}

/// A response has a `status()` too, so that one counts only in a file that makes commands.
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
            &[("harness/racetrap/src/b.rs", linux), (NOT_MOVED_YET[0], "")],
            &[
                concat!(
                    "harness/racetrap/src/b.rs:1: std::os::un",
                    "ix outside harness/racetrap/src/sys/"
                ),
                "harness/racetrap/src/docker/state.rs: is an exception and needs to be none",
            ],
        );
    }

    #[test]
    fn a_process_that_somebody_else_starts_is_found() {
        // A response's status is none; a command's is.
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
