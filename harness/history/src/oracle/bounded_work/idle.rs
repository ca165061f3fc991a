//! If a change of the App does not change its desired state, the daemon repeats no work (contract 4.6:
//! the daemon skips the sweep if the condition already has the final reason; finding 295-I8).
//!
//! In a `touch` step the harness changes an annotation of the App many times. The daemon reads lists from
//! its cache, so repeated work causes no request to the engine. Only the log shows it: it has the same
//! message, apart from names and numbers, about as often as the App was touched. A daemon that has not
//! reached the desired state yet has a cause to retry, so it is not judged. While the App runs, warnings
//! and errors are not judged either.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::message::normalised;
use crate::record::{LogLevel, Record, What};
use crate::scenario::{ApiStep, Step};
use crate::steps::Steps;
use crate::view::{AppView, View};

/// One message for every four touches already counts as repeated work, because the daemon may handle
/// several touches at once.
const TOUCHES_PER_MESSAGE: usize = 4;

/// Fewer equal messages than this may be chance.
const MIN_MESSAGES: usize = 3;

/// Messages that begin like this report only that a controller was called, and no work.
const CALL_PREFIXES: [&str; 2] = ["update ", "reconcile entered "];

/// A `touch` step that is being judged.
struct TouchStep {
    times: usize,
    app_runs: bool,
    /// How often each message was logged.
    messages: BTreeMap<String, usize>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut view = View::default();
    let mut touching: Option<TouchStep> = None;
    for record in history {
        view.apply(record);
        match &record.what {
            What::StepBegan { .. } => {
                judge_step(touching.take(), record.seq, &mut finding);
                let step = steps.begun(record);
                touching =
                    view.app().zip(step).and_then(|(app, step)| TouchStep::from_step(step, &app));
            }
            What::Log { level, text } => {
                if let Some(touching) = &mut touching
                    && !(touching.app_runs && *level > LogLevel::Info)
                {
                    *touching.messages.entry(normalised(text)).or_default() += 1;
                }
            }
            What::Ending | What::Ended => judge_step(touching.take(), record.seq, &mut finding),
            // At a checkpoint the harness creates a volume, which gives the daemon a cause to work.
            What::Checkpoint { .. } => touching = None,
            _ => {}
        }
    }
    finding
}

fn judge_step(touching: Option<TouchStep>, seq: u64, finding: &mut Finding) {
    let Some(TouchStep { times, messages, .. }) = touching else { return };
    let is_call = |message: &str| CALL_PREFIXES.iter().any(|prefix| message.starts_with(prefix));
    for (message, count) in messages.into_iter().filter(|(message, _)| !is_call(message)) {
        if count >= MIN_MESSAGES && count * TOUCHES_PER_MESSAGE >= times {
            let text = format!(
                "the App was touched {times} times, and the daemon logged {count} times: {message}"
            );
            finding.violated(Check::IdleTouched, seq, text);
        }
    }
}

impl TouchStep {
    /// The step, if it touches an App that has reached its desired state.
    fn from_step(step: &Step, app: &AppView) -> Option<Self> {
        let Step::Api(ApiStep::Touch { times }) = step else { return None };
        let times = usize::try_from(*times).ok()?;
        let app_runs = app.wants_running;
        let ready = app.condition("ContainerEngineReady")?;
        let is_reached = match ready {
            (_, "NotApplicable") => true,
            (status, "Connected") => app_runs && status == "True",
            (_, "Stopped") => !app_runs,
            _ => false,
        };
        is_reached.then(|| Self { times, app_runs, messages: BTreeMap::new() })
    }
}
