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
    let mut judged = Judged { counts: true, users_fields: true };
    for record in history {
        state.apply(record);
        judged.users_fields &= !record.what.ends_vm();
        judged.counts &= judged.users_fields && !matches!(record.what, What::WatchLost { .. });
        if record.what == (What::Checkpoint { number, stage: Stage::Probed }) {
            if state.view().wants_mirrors() {
                judge(clean, &state, &judged, record.seq, &mut finding);
            }
            break;
        }
    }
    finding
}

/// What can be judged beside what the daemon itself writes to the objects.
struct Judged {
    counts: bool,
    /// What users have written into mirrors.
    users_fields: bool,
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

fn judge(clean: &Clean, state: &QuietState, judged: &Judged, seq: u64, finding: &mut Finding) {
    let (objects, counts) = (state.objects(), state.counts());
    for (name, fields) in clean.objects.iter().filter(|(name, _)| !clean.touched.contains(*name)) {
        let Some(seen) = objects.get(name) else {
            let text = format!("{name}: each run without the disturbance has it, and this one not");
            finding.violated(Check::ObjectMissing, seq, text);
            continue;
        };
        let is_judged = |field: &str| judged.users_fields || !QuietState::is_users_own(name, field);
        let differing = differing(fields, seen, false);
        for (field, usual, seen) in differing.into_iter().filter(|(field, ..)| is_judged(field)) {
            let text = format!(
                "{name}: {field} is {usual} in each run without the disturbance, and {seen} in \
                 this one"
            );
            finding.violated(Check::FieldDiffers, seq, text);
        }
    }
    let untouched = clean.counts.iter().filter(|(name, _)| !clean.touched.contains(*name));
    for (name, most) in untouched.filter(|_| judged.counts) {
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
