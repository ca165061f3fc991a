//! The processes of VMs that run, and what must hold when one begins or ends.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{VmProcess, VmProcessChange};
use crate::scenario::VmRole;

/// Process ID and start time.
pub(super) type Id = (u32, u64);

/// A process that runs.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) process: VmProcess,
    /// The harness has stopped it, so it cannot end by itself.
    pub(super) is_frozen: bool,
    /// The harness is killing it.
    pub(super) is_killed: bool,
}

/// The processes that run.
#[derive(Default)]
pub(super) struct Processes {
    live: BTreeMap<Id, Live>,
    /// The history shows processes of VMs, so that a missing one means something.
    pub(super) are_observed: bool,
}

impl Processes {
    /// Those of a VM with this role.
    pub(super) fn of(&self, vm: &str, role: VmRole) -> impl Iterator<Item = &Live> {
        let is_wanted = move |live: &&Live| live.process.vm == vm && live.process.role == role;
        self.live.values().filter(is_wanted)
    }

    /// Hostagents and drivers of all VMs.
    pub(super) fn of_vms(&self) -> impl Iterator<Item = &VmProcess> {
        let all = self.live.values().map(|live| &live.process);
        all.filter(|process| process.role != VmRole::Bystander)
    }

    /// Applies a change, and judges it. Returns a process that has ended.
    pub(super) fn apply(
        &mut self,
        process: &VmProcess,
        seq: u64,
        finding: &mut Finding,
    ) -> Option<Live> {
        let id = (process.pid, process.started);
        self.are_observed |= process.role != VmRole::Bystander;
        match process.change {
            VmProcessChange::Began => {
                self.judge_begin(process, seq, finding);
                let process = process.clone();
                self.live.insert(id, Live { process, is_frozen: false, is_killed: false });
            }
            VmProcessChange::Ended => {
                let ended = self.live.remove(&id)?;
                if ended.process.role == VmRole::Bystander && !ended.is_killed {
                    let text = format!(
                        "process {} has nothing to do with the VM {}, but had an ID of its pid files, \
                         and was ended",
                        process.pid, process.vm
                    );
                    finding.violated(Check::BystanderEnded, seq, text);
                }
                return Some(ended);
            }
            VmProcessChange::Killed | VmProcessChange::Frozen | VmProcessChange::Thawed => {
                let live = self.live.get_mut(&id)?;
                live.is_killed |= process.change == VmProcessChange::Killed;
                live.is_frozen = process.change == VmProcessChange::Frozen
                    || live.is_frozen && process.change == VmProcessChange::Killed;
            }
        }
        None
    }

    fn judge_begin(&self, process: &VmProcess, seq: u64, finding: &mut Finding) {
        let VmProcess { vm, pid, .. } = process;
        if process.role != VmRole::Hostagent {
            return;
        }
        if let Some(other) = self.of(vm, VmRole::Hostagent).next() {
            let other = other.process.pid;
            let text = format!("hostagent {pid} of {vm} runs while hostagent {other} still does");
            finding.violated(Check::TwoHostagents, seq, text);
        }
        // The driver of this hostagent may have been seen first, but has started later.
        let mut drivers = self.of(vm, VmRole::Driver);
        if let Some(left) = drivers.find(|driver| driver.process.started < process.started) {
            let left = left.process.pid;
            let text =
                format!("hostagent {pid} of {vm} runs while driver {left} of the boot before does");
            finding.violated(Check::DriverLeft, seq, text);
        }
        if process.group != process.pid {
            let text = format!("hostagent {pid} of {vm} does not lead a process group of its own");
            finding.violated(Check::NoOwnGroup, seq, text);
        }
    }
}
