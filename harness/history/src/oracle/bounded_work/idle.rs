//! A change of the App that asks for nothing does not repeat what was done (contract 4.6: the sweep
//! is skipped when the condition already shows the terminal reason; finding 295-I8).
//!
//! In a `touch` step the harness changes an annotation of the App many times. Lists of the daemon's
//! are read from its cache and cost no request, so what it repeats is seen in its log: the same
//! message, names and numbers aside, about as often as the App was touched. A daemon that has not
//! reached what the App wants has a reason to try again, and is not judged; nor are its warnings
//! and errors, where the App runs.

use std::collections::BTreeMap;

use crate::oracle::Finding;
use crate::oracle::message::normalised;
use crate::record::{LogLevel, Record, What};
use crate::scenario::{ApiStep, OracleName, Step};
use crate::steps::Steps;
use crate::view::{AppView, View};

/// A message of each fourth touch is one of each touch: some may have been taken together.
const TOUCHES_PER_MESSAGE: usize = 4;

/// Fewer than so many are chance.
const LEAST: usize = 3;

/// How messages begin that tell that a controller was called, and nothing of what it did.
const CALLED: [&str; 2] = ["update ", "reconcile entered "];

/// A step that touches the App.
struct Touching {
    times: usize,
    runs: bool,
    messages: BTreeMap<String, usize>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::of(history);
    let mut view = View::default();
    let mut touching: Option<Touching> = None;
    for record in history {
        view.apply(record);
        match &record.what {
            What::StepBegan { .. } => {
                judge_step(touching.take(), record.seq, &mut finding);
                let step = steps.begun(record);
                touching =
                    view.app().zip(step).and_then(|(app, step)| Touching::begins(step, &app));
            }
            What::Log { level, text } => {
                if let Some(touching) = &mut touching
                    && !(touching.runs && *level > LogLevel::Info)
                {
                    *touching.messages.entry(normalised(text)).or_default() += 1;
                }
            }
            What::Ending | What::Ended => judge_step(touching.take(), record.seq, &mut finding),
            // The harness itself does more than to touch the App there.
            What::Checkpoint { .. } => touching = None,
            _ => {}
        }
    }
    finding
}

fn judge_step(touching: Option<Touching>, seq: u64, finding: &mut Finding) {
    let Some(Touching { times, messages, .. }) = touching else { return };
    let is_call = |message: &str| CALLED.iter().any(|called| message.starts_with(called));
    for (message, count) in messages.into_iter().filter(|(message, _)| !is_call(message)) {
        if count >= LEAST && count * TOUCHES_PER_MESSAGE >= times {
            let text = format!(
                "the App was touched {times} times, and {count} times the log says: {message}"
            );
            finding.violated(OracleName::BoundedWork, seq, text);
        }
    }
}

impl Touching {
    /// The step that begins, if it touches an App that has reached what it wants.
    fn begins(step: &Step, app: &AppView) -> Option<Self> {
        let Step::Api(ApiStep::Touch { times }) = step else { return None };
        let times = usize::try_from(*times).ok()?;
        let runs = app.wants_running;
        let ready = app.condition("ContainerEngineReady")?;
        let in_place = match ready {
            (_, "NotApplicable") => true,
            (status, "Connected") => runs && status == "True",
            (_, "Stopped") => !runs,
            _ => false,
        };
        in_place.then(|| Self { times, runs, messages: BTreeMap::new() })
    }
}
