//! Runs a workload without faults, and learns from its histories.

use std::num::NonZeroUsize;

use racetrap_history::{Judgement, Needs, Scenario, Verdict};
use racetrap_search::{Learned, learn};
use tokio::time::Instant;

use crate::matrix::not_begun;
use crate::run::{self, RunOptions};

/// What some runs of a workload show.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    /// The workload.
    pub(crate) workload: Scenario,
    /// What can be planned with; nothing if the workload is not for this daemon.
    pub(crate) learned: Option<Learned>,
    /// The judgement of each run that did not pass.
    pub(crate) not_passed: Vec<Judgement>,
    /// Why a run could not begin.
    pub(crate) errors: Vec<String>,
}

impl Lesson {
    /// What an earlier search has learned.
    pub(crate) fn known(learned: &Learned) -> Self {
        Self {
            workload: learned.workload.clone(),
            learned: Some(learned.clone()),
            not_passed: Vec::new(),
            errors: Vec::new(),
        }
    }
}

/// Runs `workload` so many times, and learns from the runs that passed. One after the other: runs beside
/// each other would make their order differ more than a user's machine does. Nothing if the time is over before
/// the last run begins: fewer runs would take for certain what comes by chance.
pub(crate) async fn learn_workload(
    workload: &Scenario,
    runs: NonZeroUsize,
    options: &RunOptions,
    until: Option<Instant>,
) -> Option<Lesson> {
    let needs = Needs { reviews: true, ..workload.needs.clone() };
    let watched = Scenario { needs, ..workload.clone() };
    let mut lesson = Lesson {
        workload: workload.clone(),
        learned: None,
        not_passed: Vec::new(),
        errors: Vec::new(),
    };
    let mut histories = Vec::new();
    let mut is_applicable = true;
    for _ in 0..runs.get() {
        if until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        if let Some(why) = not_begun(&options.stop) {
            lesson.errors.push(why);
            break;
        }
        match run::run(&watched, options).await {
            Ok(outcome) if outcome.judgement.verdict == Verdict::Pass => {
                histories.push(outcome.history);
            }
            Ok(outcome) => {
                let verdict = outcome.judgement.verdict;
                lesson.not_passed.push(outcome.judgement);
                // The next run would be no different.
                if verdict == Verdict::NotApplicable {
                    is_applicable = false;
                    break;
                }
            }
            Err(error) => lesson.errors.push(error.told()),
        }
    }
    // Without a run that passed there are no places, and the workload alone is what there is to plan.
    lesson.learned = is_applicable.then(|| learn(workload, &histories));
    Some(lesson)
}
