//! What a command says by its exit code and its text is so.
//!
//! - `set`, `start` and `stop` that waited and returned 0 imply the condition that they wait for,
//!   at the generation that they made (contract 1.5).
//! - One that stopped the App and returned 0 implies that the mirrors are gone: who lists them
//!   afterwards sees none (contract 3.7.26, 4.6.4; finding 350-base).
//! - Code 4 is a deadline that passed, and nothing else: a command that was interrupted neither
//!   ends with it nor tells of a time-out, and one that ends with it tells of no cancellation
//!   (contract 1.2; finding 295-I10).

use std::collections::BTreeSet;

use super::app::{READY, SETTLED, shows_app};
use crate::mirror::Mirror;
use crate::oracle::Finding;
use crate::record::{CommandRun, Record, What};
use crate::scenario::OracleName;
use crate::view::{AppView, View};

/// The exit code of a deadline that passed (contract 1.2).
const DEADLINE: i32 = 4;

/// Kinds of which nothing is left after a stop.
const MIRRORS: [&str; 3] = ["containers", "images", "volumes"];

/// A command that returned 0 after it waited.
struct Returned {
    text: String,
    stops: bool,
    unlisted: BTreeSet<&'static str>,
    app_unlisted: bool,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut returned: Option<Returned> = None;
    for record in history {
        view.apply(record);
        match &record.what {
            What::Command(command) => {
                judge_end(command, record.seq, &mut finding);
                returned = Returned::of(command);
            }
            What::CommandBegan { .. } => returned = None,
            What::Process { name, .. } if name == "daemon" => returned = None,
            _ => {}
        }
        let Some(returned) = &mut returned else { continue };
        if let What::Listed { resource, objects, .. } = &record.what {
            if shows_app(&record.what)
                && std::mem::take(&mut returned.app_unlisted)
                && let Some(app) = view.app()
            {
                judge_app(&returned.text, &app, record.seq, &mut finding);
            }
            let first = returned.unlisted.remove(resource.as_str());
            // Revisions without `Settled` promise nothing of the kind (contract 9).
            let says = |app: AppView| !app.wants_running && app.condition(SETTLED).is_some();
            if first && returned.stops && view.app().is_some_and(says) {
                let left = objects.iter().filter_map(|object| Mirror::read(resource, object));
                let left: Vec<_> = left.filter(|mirror| !mirror.is_foreign()).collect();
                if let Some(one) = left.first() {
                    let count = left.len();
                    let text = format!(
                        "`{}` returned 0, yet {count} {resource} are listed after it: {}",
                        returned.text, one.key
                    );
                    finding.violated(OracleName::TruthfulConditions, record.seq, text);
                }
            }
        }
    }
    finding
}

impl Returned {
    fn of(command: &CommandRun) -> Option<Self> {
        let arguments = &command.arguments;
        let verb = arguments.first().map(String::as_str);
        let waits = matches!(verb, Some("set" | "start" | "stop"));
        // Revisions before `--wait` take a time-out of 0 for it (contract 9, R0).
        let no_wait = ["--wait=false", "--timeout=0", "--help"];
        let told_not_to = arguments.iter().any(|argument| no_wait.contains(&argument.as_str()));
        let says_stop = arguments.iter().any(|argument| argument == "running=false");
        (command.exit.is_success() && waits && !told_not_to).then(|| Self {
            text: arguments.join(" "),
            stops: verb == Some("stop") || says_stop,
            unlisted: MIRRORS.into(),
            app_unlisted: true,
        })
    }
}

fn judge_app(command: &str, app: &AppView, seq: u64, finding: &mut Finding) {
    let awaited = if app.condition(SETTLED).is_some() { SETTLED } else { READY };
    let reached = match awaited {
        SETTLED => app.holds(SETTLED, "True"),
        _ if app.wants_running => app.holds(READY, "True"),
        _ => true,
    };
    if !reached {
        finding.violated(
            OracleName::TruthfulConditions,
            seq,
            format!("`{command}` returned 0, yet {}", app.describe(awaited)),
        );
    }
}

fn judge_end(command: &CommandRun, seq: u64, finding: &mut Finding) {
    let CommandRun { arguments, exit, stdout, stderr, interrupted, .. } = command;
    let text = format!("{stdout}\n{stderr}").to_lowercase();
    let tells = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let command = arguments.join(" ");
    let mut lies = |what: &str| {
        let said = stderr.trim();
        let text = format!("`{command}` {what}; it said: {said}");
        finding.violated(OracleName::TruthfulConditions, seq, text);
    };
    let ended_by_deadline = exit.code() == Some(DEADLINE);
    if *interrupted && ended_by_deadline {
        lies("was interrupted, and ended with the code of a time-out");
    } else if *interrupted && tells(&["timed out", "deadline exceeded"]) {
        lies("was interrupted, and tells of a time-out");
    } else if ended_by_deadline && tells(&["cancelled", "canceled"]) {
        lies("ended with the code of a time-out, and tells of a cancellation");
    }
}
