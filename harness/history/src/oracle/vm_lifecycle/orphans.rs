//! Hostagents that an earlier daemon has left: the next one ends them (contract 7.4.4).

use std::collections::BTreeSet;

use super::processes::{Id, Processes};
use super::stops::{GRACE_US, SECOND_US, STOP_US};
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CommandRun, VmProcess, VmProcessChange};
use crate::scenario::VmRole;

/// The hostagents that ran when a daemon ended.
#[derive(Default)]
pub(super) struct Orphans {
    left: BTreeSet<Id>,
    /// Those of them that were frozen since. One that was frozen before goes on: the kernel continues the
    /// stopped processes of a session whose leader has ended.
    frozen: BTreeSet<Id>,
    /// Frozen ones that have ended, and when.
    ended: Vec<(VmProcess, u64)>,
    /// When the start of the next daemon began. It cannot have told them to stop before.
    began_us: Option<u64>,
    /// When the next daemon was ready. It must have told them to stop soon after that.
    ready_us: Option<u64>,
}

impl Orphans {
    /// The daemon has ended, and these run on.
    pub(super) fn left_by(&mut self, processes: &Processes) {
        let agents = processes.of_vms().filter(|process| process.role == VmRole::Hostagent);
        let left = agents.map(|process| (process.pid, process.started)).collect();
        *self = Self { left, ..Self::default() };
    }

    /// The harness has frozen a process, or lets it go on.
    pub(super) fn apply(&mut self, process: &VmProcess) {
        let id = (process.pid, process.started);
        match process.change {
            VmProcessChange::Frozen if self.left.contains(&id) => drop(self.frozen.insert(id)),
            VmProcessChange::Thawed | VmProcessChange::Killed => drop(self.frozen.remove(&id)),
            VmProcessChange::Frozen | VmProcessChange::Began | VmProcessChange::Ended => {}
        }
    }

    /// A process has ended. A frozen one did not do that by itself.
    pub(super) fn ended(&mut self, process: &VmProcess, at_us: u64) {
        if self.frozen.remove(&(process.pid, process.started)) {
            self.ended.push((process.clone(), at_us));
        }
    }

    /// The command that starts the next daemon has returned; by then, the daemon ran for a while.
    pub(super) fn daemon_began(
        &mut self,
        run: &CommandRun,
        (seq, at_us): (u64, u64),
        finding: &mut Finding,
    ) {
        let began = at_us.saturating_sub(run.took_ms * 1000);
        self.began_us = Some(began);
        self.judge_ended(seq, finding);
    }

    /// The next daemon is ready.
    pub(super) fn daemon_is_ready(&mut self, at_us: u64) {
        self.ready_us = Some(at_us);
    }

    /// Judges those that have ended, and those that still run.
    pub(super) fn judge(
        &mut self,
        processes: &Processes,
        (seq, at_us): (u64, u64),
        finding: &mut Finding,
    ) {
        self.judge_ended(seq, finding);
        // The daemon ends several one after the other, so only one alone is judged.
        if self.left.len() != 1 || self.ready_us.is_none_or(|ready| at_us <= ready + STOP_US) {
            return;
        }
        let is_left = |it: &&VmProcess| self.left.contains(&(it.pid, it.started));
        if let Some(VmProcess { pid, vm, .. }) = processes.of_vms().find(is_left) {
            let limit = STOP_US / SECOND_US;
            let text = format!(
                "hostagent {pid} of {vm}, which an earlier daemon has left, still runs {limit} s \
                 after the next one was ready"
            );
            finding.violated(Check::OrphanLate, seq, text);
            self.left.clear();
        }
    }

    fn judge_ended(&mut self, seq: u64, finding: &mut Finding) {
        let Some(began) = self.began_us else { return };
        for (VmProcess { pid, vm, .. }, ended) in std::mem::take(&mut self.ended) {
            if ended < began + GRACE_US {
                let took = ended.saturating_sub(began) / SECOND_US;
                let text = format!(
                    "hostagent {pid} of {vm}, which an earlier daemon has left, was killed {took} s \
                     after the next one began to start"
                );
                finding.violated(Check::OrphanKilledEarly, seq, text);
            }
        }
    }
}
