//! Why a run did not pass, in one line, for the reader of its bundle.

use racetrap_history::{Blame, Judgement, Record, Verdict, What};

use super::stop::Stop;
use crate::bundle::{Cause, Trigger};
use crate::recorder::Recorder;

/// Why a run with this history, which did not pass, has a bundle.
#[expect(clippy::wildcard_enum_match_arm, reason = "only failed steps are asked for")]
pub(super) fn cause(
    history: &[Record],
    judgement: &Judgement,
    panicked: bool,
    stop: &Stop,
) -> Cause {
    let failed = history.iter().rev().find_map(|record| match &record.what {
        What::StepFailed { index, why, .. } => Some(format!("step {}: {why}", index + 1)),
        _ => None,
    });
    match failed {
        Some(why) if panicked => Cause::new(Trigger::Panic, why),
        Some(why) if stop.asked_now().is_some() => Cause::new(Trigger::Stopped, why),
        Some(why) => Cause::new(Trigger::Step, why),
        None => {
            let violations =
                judgement.violations.iter().map(|it| format!("{}: {}", it.oracle, it.text));
            let first = violations
                .chain(judgement.unknowns.iter().map(|unknown| unknown.text.clone()))
                .next();
            let word = if judgement.verdict == Verdict::Fail { "fail" } else { "unknown" };
            Cause::new(Trigger::Verdict, format!("{word}: {}", first.unwrap_or_default()))
        }
    }
}

/// The record of a step in which the harness panicked. The failure is the world's, because it shows
/// nothing of the daemon.
#[expect(clippy::wildcard_enum_match_arm, reason = "only steps that began are asked for")]
pub(super) fn broken_off(recorder: &Recorder, panic: String) -> What {
    let begun = recorder.history().into_iter().rev().find_map(|record| match record.what {
        What::StepBegan { index } => Some(index),
        _ => None,
    });
    let why = format!("the harness broke off: {panic}");
    What::StepFailed { index: begun.unwrap_or_default(), blame: Blame::World, why }
}
