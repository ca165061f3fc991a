//! The exit code and the text of a command are true.
//!
//! - If `set`, `start` or `stop` waits and returns 0, the condition that it waits for holds at the
//!   generation that the command created (contract 1.5).
//! - If such a command stops the App and returns 0, no mirror is left: a later list shows none
//!   (contract 3.7.26, 4.6.4; finding 350-base).
//! - Exit code 4 means that a deadline passed, and nothing else. An interrupted command must neither
//!   return 4 nor report a time-out, and a command that returns 4 must not report a cancellation
//!   (contract 1.2; finding 295-I10).

use std::collections::BTreeSet;

use super::app::{READY, SETTLED, shows_app};
use crate::check::Check;
use crate::mirror::Mirror;
use crate::oracle::Finding;
use crate::record::{CommandRun, Record, TIMED_OUT, What};
use crate::view::{AppView, View};

/// The kinds of mirrors, all of which a stop removes.
const MIRROR_KINDS: [&str; 3] = ["containers", "images", "volumes"];

/// The last command, if it waited for its condition and returned 0.
struct WaitedCommand {
    text: String,
    stops: bool,
    /// Kinds of mirrors that no list has shown since the command returned.
    unlisted: BTreeSet<&'static str>,
    /// No list has shown the App since the command returned.
    app_unlisted: bool,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut returned: Option<WaitedCommand> = None;
    for record in history {
        view.apply(record);
        match &record.what {
            What::Command(command) => {
                judge_end(command, record.seq, &mut finding);
                returned = WaitedCommand::from_run(command);
            }
            // From here on, something else may change the state that the command waited for.
            What::CommandBegan { .. } => returned = None,
            What::Process { name, .. } if name == "daemon" => returned = None,
            _ => {}
        }
        let Some(returned) = &mut returned else { continue };
        // Only the first list after the command is judged. Watches may lag behind the command, but a
        // list is newer than the state that the command waited for.
        if let What::Listed { resource, objects, .. } = &record.what {
            if shows_app(&record.what)
                && std::mem::take(&mut returned.app_unlisted)
                && let Some(app) = view.app()
            {
                judge_app(&returned.text, &app, record.seq, &mut finding);
            }
            let first = returned.unlisted.remove(resource.as_str());
            // Revisions without `Settled` do not promise that the mirrors are gone (contract 9).
            let says = |app: AppView| !app.wants_running && app.condition(SETTLED).is_some();
            if first && returned.stops && view.app().is_some_and(says) {
                let left = objects.iter().filter_map(|object| Mirror::read(resource, object));
                let left: Vec<_> = left.filter(|mirror| !mirror.is_foreign()).collect();
                if let Some(one) = left.first() {
                    let count = left.len();
                    let text = format!(
                        "`{}` returned 0, but the next list still shows {count} {resource}: {}",
                        returned.text, one.key
                    );
                    finding.violated(Check::MirrorsListed, record.seq, text);
                }
            }
        }
    }
    finding
}

impl WaitedCommand {
    /// The command, if it waited for its condition and returned 0.
    fn from_run(command: &CommandRun) -> Option<Self> {
        let arguments = &command.arguments;
        let verb = arguments.first().map(String::as_str);
        let waits = matches!(verb, Some("set" | "start" | "stop"));
        // Revisions without `--wait` use a time-out of 0 instead of `--wait=false` (contract 9, R0).
        // A dry run changes nothing that could be waited for.
        let no_wait = ["--wait=false", "--timeout=0", "--help", "--dry-run"];
        let returns_at_once = arguments.iter().any(|argument| no_wait.contains(&argument.as_str()));
        let sets_stopped = arguments.iter().any(|argument| argument == "running=false");
        (command.exit.is_success() && waits && !returns_at_once).then(|| Self {
            text: arguments.join(" "),
            stops: verb == Some("stop") || sets_stopped,
            unlisted: MIRROR_KINDS.into(),
            app_unlisted: true,
        })
    }
}

/// Judges the condition that a command waited for, in the first list of the App after it.
fn judge_app(command: &str, app: &AppView, seq: u64, finding: &mut Finding) {
    let awaited = if app.condition(SETTLED).is_some() { SETTLED } else { READY };
    let reached = match awaited {
        // `holds` compares generations, so a condition of an earlier state does not count.
        SETTLED => app.holds(SETTLED, "True"),
        _ if app.wants_running => app.holds(READY, "True"),
        _ => true,
    };
    if !reached {
        finding.violated(
            Check::ConditionNotReached,
            seq,
            format!("`{command}` returned 0, but {}", app.describe(awaited)),
        );
    }
}

/// Judges whether the exit code and the text of a command agree with how it really ended.
fn judge_end(command: &CommandRun, seq: u64, finding: &mut Finding) {
    let CommandRun { arguments, exit, stdout, stderr, interrupted, .. } = command;
    let text = format!("{stdout}\n{stderr}").to_lowercase();
    let reports = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let command = arguments.join(" ");
    let mut contradiction = |what: &str| {
        let stderr = stderr.trim();
        let text = format!("`{command}` {what}; its standard error: {stderr}");
        finding.violated(Check::WrongEnd, seq, text);
    };
    let returned_deadline = exit.code() == Some(TIMED_OUT);
    if *interrupted && returned_deadline {
        contradiction("was interrupted, but returned the exit code of a time-out");
    } else if *interrupted && reports(&["timed out", "deadline exceeded"]) {
        contradiction("was interrupted, but reports a time-out");
    } else if returned_deadline && reports(&["cancelled", "canceled"]) {
        contradiction("returned the exit code of a time-out, but reports a cancellation");
    }
}
