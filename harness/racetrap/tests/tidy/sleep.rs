//! Code waits for levels, and lets no time pass otherwise.

use super::source::{after, is_test};
use super::{Tree, found, is_script, is_word};

/// A package's clock, which lets time pass for all of it.
const CLOCK: &str = "/src/clock.rs";

/// Programs that run inside containers and guests: the pauses of the first are what it is for, and the
/// second cannot be notified when a host connects.
const INSIDE: [&str; 2] = ["fixtures/images/program/main.rs", "fixtures/vm/guest/agent.rs"];

/// Who may do something at a pace without a clock, and why. Tests poll what cannot notify them.
const MAY_TICK: [&str; 1] = [
    // Pings clients, as the contract promises.
    "fixtures/daemon/src/passthrough/session.rs",
];

pub(super) fn only_the_clock_sleeps(tree: &Tree) -> Vec<String> {
    const CALLS: [&str; 4] = [
        concat!("thread::sl", "eep"),
        concat!("time::sl", "eep"),
        concat!("sl", "eep_until"),
        concat!("park_", "timeout"),
    ];
    let code =
        |path: &str| path.ends_with(".rs") && !(path.ends_with(CLOCK) || INSIDE.contains(&path));
    let mut naps = found(tree, code, |line| {
        let imports = line.contains("time::{") || line.contains("thread::{");
        let names = || line.split(|letter| !is_word(letter)).any(|word| word == "sleep");
        let imported = (imports && names()).then_some("sleep");
        CALLS.into_iter().find(|call| line.contains(call)).or(imported)
    });
    naps.extend(found(tree, is_script, |line| {
        line.split([';', '&', '|']).any(|part| part.trim().starts_with("sleep ")).then_some("sleep")
    }));
    naps
}

/// Pauses under other names: a timer that ticks, or a time-out of what never comes.
pub(super) fn only_the_clock_ticks(tree: &Tree) -> Vec<String> {
    const TIMERS: [&str; 2] = [concat!("inter", "val("), concat!("inter", "val_at(")];
    let may = |path: &str| {
        path.ends_with(CLOCK) || INSIDE.contains(&path) || MAY_TICK.contains(&path) || is_test(path)
    };
    let code = |path: &str| path.ends_with(".rs") && !may(path);
    found(tree, code, |line| {
        let of_nothing = line.contains("pending()") || line.contains("pending::<");
        let timed = line.contains("timeout(") || line.contains("timeout_at(");
        let timer = TIMERS.into_iter().find(|timer| !after(line, timer).is_empty());
        let endless = (timed && of_nothing).then_some("a time-out of what never comes");
        timer.or(endless)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn a_sleep_is_found_in_code_and_in_scripts() {
        // The clock may, and a method or a container's command of that name is something else.
        let call = concat!("tokio::time::sl", "eep(a).await;\n");
        let import = concat!("use std::thread::{self, sl", "eep};\n");
        let other = "probe.sleep(); cmd(&[\"sleep\"]);\n";
        check(
            only_the_clock_sleeps,
            &[("harness/racetrap/src/clock.rs", call), ("a.rs", other)],
            &[("a.rs", call), ("b.rs", import), ("scripts/a", "true && sleep 5\n")],
            &[concat!("a.rs:1: time::sl", "eep"), "b.rs:1: sleep", "scripts/a:1: sleep"],
        );
    }

    #[test]
    fn a_pause_under_another_name_is_found() {
        // The good code bounds a wait for something, and has a word that merely ends like the timer.
        let good = "timeout_at(end, changes.changed()).await; let a = an_interval(b);\n";
        let bad = concat!(
            "let mut ticks = time::inter",
            "val(a);\n",
            "let _ = timeout(a, pending::<()>()).await;\n",
        );
        check(
            only_the_clock_ticks,
            &[("a.rs", good), ("a/tests/b.rs", bad)],
            &[("a.rs", bad)],
            &[concat!("a.rs:1: inter", "val("), "a.rs:2: a time-out of what never comes"],
        );
    }
}
