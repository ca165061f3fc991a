//! A disturbance that is over leaves no trace (contract 4.5.8): once the world is quiet, each object has the
//! fields that it has in runs of the same workload without a disturbance, and was neither written nor made
//! anew more often than the disturbance explains.
//!
//! The scenario has what those runs have shown ([`Clean`]), as far as it was the same in each of them; the
//! planner of a search writes it there. The planner also says which objects the disturbance itself changes,
//! and by how much it may raise the counts, both from the kinds of its steps.
//!
//! Not judged: what exists only in the disturbed run (`convergence` knows whether the engine has it), counts
//! after the watch of a kind has broken off, and, if the App's VM has ended meanwhile, which takes all mirrors
//! with it, their counts and what users had written into them (contract 4.6.8).

use super::Finding;
use crate::check::Check;
use crate::quiet_state::{QuietState, differing};
use crate::record::{Record, Stage, What};
use crate::scenario::{Clean, Step, WaitStep};

/// Judges the world after the first steps of the scenario, if it has something to compare it with.
#[must_use]
pub fn clean_runs(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let Some((clean, number)) = compared(history) else { return finding };
    let mut state = QuietState::default();
    let mut watched = true;
    for record in history {
        state.apply(record);
        watched &= !matches!(record.what, What::WatchLost { .. });
        if record.what == (What::Checkpoint { number, stage: Stage::Probed }) {
            if state.view().wants_mirrors() {
                judge_objects(clean, &state, record.seq, &mut finding);
                if watched && state.vm_ends() == 0 {
                    judge_counts(clean, &state, record.seq, &mut finding);
                }
            }
            break;
        }
    }
    finding
}

/// What is compared with, and the number of the checkpoint at which it is.
fn compared(history: &[Record]) -> Option<(&Clean, u32)> {
    let What::Run(header) = &history.first()?.what else { return None };
    let (clean, steps) = (header.scenario.clean.as_ref()?, &header.scenario.steps);
    if !clean.after.begin(steps) {
        return None;
    }
    let first = &steps[..clean.after.count];
    let settles = first.iter().filter(|step| matches!(step, Step::Wait(WaitStep::Settle)));
    Some((clean, u32::try_from(settles.count()).ok()?))
}

fn judge_objects(clean: &Clean, state: &QuietState, seq: u64, finding: &mut Finding) {
    let seen = state.objects();
    let mut usual = clean.objects.clone();
    if state.vm_ends() > 0 {
        QuietState::remove_users_fields(&mut usual);
    }
    for (name, fields) in usual.iter().filter(|(name, _)| !clean.touched.contains(*name)) {
        let Some(seen) = seen.get(name) else {
            let text = format!("{name}: each run without the disturbance has it, and this one not");
            finding.violated(Check::ObjectMissing, seq, text);
            continue;
        };
        for (field, usual, seen) in differing(fields, seen, false) {
            let text = format!(
                "{name}: {field} is {usual} in each run without the disturbance, and {seen} in \
                 this one"
            );
            finding.violated(Check::FieldDiffers, seq, text);
        }
    }
}

fn judge_counts(clean: &Clean, state: &QuietState, seq: u64, finding: &mut Finding) {
    let counts = state.counts();
    for (name, most) in clean.counts.iter().filter(|(name, _)| !clean.touched.contains(*name)) {
        let (writes, made) = counts.get(name).copied().unwrap_or_default();
        let found = [
            (Check::WrittenOften, "was written", writes, most.writes),
            (Check::MadeOften, "was made", made, most.objects),
        ];
        for (check, what, seen, most) in found.into_iter().filter(|(.., seen, most)| seen > most) {
            let text = format!(
                "{name}: its mirror {what} {seen} times; without the disturbance, and with what \
                 the disturbance explains, it is at most {most} times"
            );
            finding.violated(check, seq, text);
        }
    }
}
