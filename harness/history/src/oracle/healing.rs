//! A restart of the daemon changes nothing (contract 4.5.7). What only a restart cures was wrong before.
//!
//! This oracle looks at two checkpoints between which the daemon was stopped and started, and nothing else
//! was done. The App's conditions, all mirrors and the docker command's configuration must be the same at
//! both, except for what [`QuietState`] leaves out.
//!
//! Not judged:
//! - a mirror whose object the engine has changed meanwhile: a container may end by itself;
//! - what users have written into a mirror, if the App's VM has ended meanwhile, which takes all mirrors with it
//!   (contract 4.6.8);
//! - a world in which the App runs at only one of the checkpoints;
//! - a daemon that the wire tells something else than the engine says: it asks differently after a restart.

use std::collections::BTreeMap;

use super::Finding;
use crate::check::Check;
use crate::quiet_state::{QuietState, differing};
use crate::record::{Record, Stage, What};
use crate::scenario::{DaemonOp, DaemonStep, FaultKind, FaultStep, QuietObjects, Step};
use crate::steps::Steps;

/// The world at a checkpoint, and what was done since.
struct Before {
    objects: QuietObjects,
    /// What each mirror had to say, by its name.
    expected: BTreeMap<String, BTreeMap<String, String>>,
    wants_mirrors: bool,
    stopped: bool,
    vm_ends: u32,
}

/// Judges each restart of the daemon in a quiet world.
#[must_use]
pub fn healing(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let restarts = |record: &Record| {
        matches!(steps.begun(record), Some(Step::Daemon(DaemonStep::Process(DaemonOp::Stop))))
    };
    if !history.iter().any(restarts) {
        return finding;
    }
    let mut state = QuietState::default();
    let mut before: Option<Before> = None;
    for record in history {
        state.apply(record);
        if steps.begun(record).is_some_and(tells_otherwise) {
            break;
        }
        match steps.begun(record) {
            Some(Step::Daemon(DaemonStep::Process(DaemonOp::Stop))) => {
                before.iter_mut().for_each(|before| before.stopped = true);
            }
            Some(Step::Daemon(DaemonStep::Process(DaemonOp::Start)) | Step::Wait(_)) | None => {}
            Some(_) => before = None,
        }
        let What::Checkpoint { stage: Stage::Probed, .. } = record.what else { continue };
        let now = Before::new(&state);
        if let Some(before) = before.filter(|before| before.stopped) {
            for text in before.differences(&now) {
                finding.violated(Check::RestartChanges, record.seq, text);
            }
        }
        before = Some(now);
    }
    finding
}

/// Whether answers are changed from this step on.
fn tells_otherwise(step: &Step) -> bool {
    match step {
        Step::Fault(FaultStep::Fault(fault)) => {
            matches!(fault.kind, FaultKind::Rewrite { .. } | FaultKind::Stale { .. })
        }
        Step::Fault(FaultStep::Answer { body, .. }) => body.is_some(),
        _ => false,
    }
}

impl Before {
    fn new(state: &QuietState) -> Self {
        let expected = state.view().expected().into_iter();
        Self {
            objects: state.objects(),
            expected: expected.map(|(key, fields)| (state.name(&key), fields)).collect(),
            wants_mirrors: state.view().wants_mirrors(),
            stopped: false,
            vm_ends: state.vm_ends(),
        }
    }

    fn differences(&self, now: &Self) -> Vec<String> {
        if self.wants_mirrors != now.wants_mirrors {
            return Vec::new();
        }
        let (mut old, mut new) = (self.objects.clone(), now.objects.clone());
        if self.vm_ends != now.vm_ends {
            [&mut old, &mut new].into_iter().for_each(QuietState::remove_users_fields);
        }
        let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
        let same_in_engine = |name: &&String| self.expected.get(*name) == now.expected.get(*name);
        let nothing = BTreeMap::new();
        let mut texts = Vec::new();
        for name in names.filter(same_in_engine) {
            let [old, new] = [&old, &new].map(|of| of.get(name).unwrap_or(&nothing));
            for (field, old, new) in differing(old, new, true) {
                texts.push(format!(
                    "{name}: {field} was {old} before the daemon was restarted and is {new} after \
                     it, although nothing else has happened"
                ));
            }
        }
        texts
    }
}
