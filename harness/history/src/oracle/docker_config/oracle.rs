//! The docker command's configuration is valid at every instant, and keeps what the user put into it
//! (contract 5).
//!
//! - `writes`: the daemon replaces `config.json` atomically by a valid file, keeps everything that it
//!   does not own, and writes only if something changes (320-I3, 320-S1).
//! - `current_context`: the daemon replaces the user's current context only if its engine does not
//!   answer or the context does not exist, never if the daemon cannot know (320-I1, I2, S2, S4, S8).
//! - `own_context`: the daemon's own context exists while the engine is connected; after a stop, neither
//!   it nor any other file of the daemon is left (320-S3, 320-T1).
//!   A current context that leads to no engine is replaced, whether or not a step waits for that
//!   (`View::takeover_due`; finding rdd-D1).
//! - `attributes`: files of the user keep mode and owner, and links stay and lead where they led
//!   (own-D13, own-D14).
//! - `error_report`: if the daemon cannot use the configuration or write its context, it logs an error
//!   (320-I5, own-D7).
//!
//! The harness reads the files when the kernel reports a change, so the oracle judges each change of
//! `config.json` and not only the last state. The kernel does not say who made a change. So while a docker
//! command of the user runs, the oracle judges only changes that this command could not have made.

use super::attributes::Attributes;
use super::current_context::CurrentContext;
use super::error_report::ErrorReport;
use super::own_context::OwnContext;
use super::state::ConfigState;
use super::writes;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CONFIG_FILE, Record, Stage, What};
use crate::steps::Steps;

/// Judges every change of the configuration, and its state whenever the world is quiet.
#[must_use]
pub fn docker_config_integrity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut state = ConfigState::default();
    let mut current = CurrentContext::default();
    let mut own = OwnContext::default();
    let mut errors = ErrorReport::default();
    let mut attributes = Attributes::default();
    for record in history {
        let mut add = |check, texts: Vec<String>| {
            for text in texts {
                finding.violated(check, record.seq, text);
            }
        };
        // A change is compared with the state before it, so it is judged before it is applied.
        if let What::DockerFile(file) = &record.what
            && file.path == CONFIG_FILE
            && !file.by_user
            // Both daemons share the file, but only the history of the first one has the records of the
            // user's commands, so only that one can judge who made a change.
            && !record.neighbour
        {
            add(Check::FilesDamaged, writes::violations(&state, file));
            let wrong = current.violation(&state, file, record.at_us);
            add(Check::WrongCurrent, wrong.into_iter().collect());
        }
        if let What::DockerFile(file) = &record.what
            && !record.neighbour
        {
            add(Check::AttributesLost, attributes.apply(&state, file));
        }
        state.apply(record, steps);
        current.apply(record);
        add(Check::OwnContext, own.apply(&state, record));
        add(Check::ErrorUnlogged, errors.apply(&state, &record.what));
        if let What::Checkpoint { stage: Stage::Probed, .. } = record.what
            && let Some(why) = state.view.takeover_due()
        {
            let text = format!("{why}, and the daemon has not made its own the current one");
            add(Check::WrongCurrent, vec![text]);
        }
    }
    finding
}
