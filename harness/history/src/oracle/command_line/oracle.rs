//! A command of the daemon prints what it promises, and ends with the promised code.
//!
//! - Standard output has data only, and standard error has messages only, of the promised form and
//!   level (`messages`).
//! - Exit codes are of those that the contract has. A command that is to refuse a property ends with
//!   the code for that (`properties`).
//! - `svc status` and `svc paths` say what is so (`outputs`).
//! - After a command that changes the App, the App has the change (`effects`).
//! - The lines of a command that waits are conditions of the App, at the generation of its change
//!   (`progress`).
//!
//! Programs that the daemon only starts, such as kubectl for `ctl`, have their own codes and texts.

use super::{effects, messages, outputs, progress, properties};
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CommandRun, Exit, Record, What};

/// Exit codes of the daemon's own commands. A signal that the harness sends ends a command too.
const CODES: [i32; 6] = [0, 1, 3, 4, 130, 143];

/// Judges every command that has ended.
#[must_use]
pub fn command_line(history: &[Record]) -> Finding {
    let mut finding = progress::judge(history);
    finding.violations.extend(effects::judge(history).violations);
    let mut pid = None;
    for record in history {
        outputs::follow_daemon(&mut pid, &record.what);
        let What::Command(command) = &record.what else { continue };
        let Some(words) = own_words(command) else { continue };
        let complaints = match messages::refusal(command) {
            Some(refused) => {
                let is_refused = command.exit.code() == Some(1);
                let text = || format!("ended with {}, and was given {refused}", command.exit);
                vec![(Check::WordsNotRefused, (!is_refused).then(text))]
            }
            None => vec![
                (Check::WrongCode, exit_code(command)),
                (Check::WrongMessage, messages::judge(command, &words)),
                (Check::WrongProperties, properties::judge(command, &words)),
                (Check::WrongOutput, outputs::judge(command, &words, pid)),
            ],
        };
        for (check, complaint) in complaints {
            let Some(complaint) = complaint else { continue };
            let text = format!("`{}` {complaint}", command.arguments.join(" "));
            finding.violated(check, record.seq, text);
        }
    }
    finding
}

/// The words of a command without its options. `None` if another program than the daemon's answers:
/// the harness starts a daemon in namespaces by `unshare`, whose arguments begin with an option of its
/// own.
pub(super) fn own_words(command: &CommandRun) -> Option<Vec<&str>> {
    let arguments = &command.arguments;
    if arguments.iter().any(|argument| argument == "--mount") {
        return None;
    }
    let words: Vec<_> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    (!matches!(words.first(), Some(&("ctl" | "run" | "kubectl")))).then_some(words)
}

fn exit_code(command: &CommandRun) -> Option<String> {
    match &command.exit {
        Exit::Code(code) if !CODES.contains(code) => Some(format!("exited {code}")),
        _ => None,
    }
}
