//! The logs of a VM's earlier boots (contract 7.3.8).

use std::collections::{BTreeMap, BTreeSet};

use super::processes::Id;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{VmFiles, VmProcess, VmProcessChange};
use crate::scenario::VmRole;
use crate::view::View;

/// How many logs of earlier boots are kept.
const KEPT: usize = 5;

/// The hostagents of each VM that the history shows since the VM was created. It may show fewer than there
/// were: one that ends at once can be missed.
#[derive(Default)]
pub(super) struct Boots(BTreeMap<String, BTreeSet<Id>>);

impl Boots {
    /// Counts a hostagent that has begun.
    pub(super) fn apply(&mut self, process: &VmProcess) {
        if (process.role, process.change) == (VmRole::Hostagent, VmProcessChange::Began) {
            let id = (process.pid, process.started);
            self.0.entry(process.vm.clone()).or_default().insert(id);
        }
    }

    /// Forgets the VMs that were deleted, whose logs went with them.
    pub(super) fn forget_deleted(&mut self, view: &View) {
        self.0.retain(|vm, _| view.object("limavms", vm).is_some());
    }

    /// Compares the logs that there are with the boots before the last one.
    pub(super) fn judge(&self, files: &VmFiles, seq: u64, finding: &mut Finding) {
        let Some(logs) = &files.old_logs else { return };
        for (vm, boots) in &self.0 {
            for stem in ["ha.stdout", "ha.stderr"] {
                let prefix = format!("{vm}/{stem}.");
                let kept = logs.iter().filter(|log| log.starts_with(&prefix)).count();
                let earlier = boots.len().saturating_sub(1);
                if kept < earlier.min(KEPT) || kept > KEPT {
                    let text = format!(
                        "the VM {vm} has booted {earlier} times before, and {kept} old logs {stem} are kept"
                    );
                    finding.violated(Check::BootLogs, seq, text);
                }
            }
        }
    }
}
