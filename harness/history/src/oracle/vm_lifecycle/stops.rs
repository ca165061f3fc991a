//! How long a VM may take to stop, and how long its hostagent must be given (contract 7.4).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::orphans::Orphans;
use super::processes::{Live, Processes};
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CommandRun, VmProcess};
use crate::scenario::VmRole;
use crate::view::View;

pub(super) const SECOND_US: u64 = 1_000_000;

/// A frozen hostagent must not be killed earlier after a stop began: 30 s, less what the harness may
/// learn of the stop too late.
pub(super) const GRACE_US: u64 = 28 * SECOND_US;

/// A VM must be gone by then: 30 s, 10 s after the force, and what a busy machine may add.
pub(super) const STOP_US: u64 = 45 * SECOND_US;

/// All controllers must have ended by then: 45 s, and what a busy machine may add.
const SHUTDOWN_US: u64 = 50 * SECOND_US;

/// When each VM was told to stop, in microseconds since the run began.
#[derive(Default)]
pub(super) struct Stops {
    since_us: BTreeMap<String, u64>,
    /// VMs whose stop was late, and was reported.
    late: BTreeSet<String>,
    /// Frozen hostagents that were ended, and when.
    ended: Vec<(VmProcess, u64)>,
    /// One that was ended early, unless the daemon has ended as well: the kernel ends the stopped children
    /// of a session whose leader has gone.
    early: Vec<Early>,
    /// Hostagents of an earlier daemon.
    pub(super) orphans: Orphans,
}

/// A hostagent that was ended early.
struct Early {
    process: VmProcess,
    since_us: u64,
    seq: u64,
    at_us: u64,
}

impl Stops {
    /// Applies what the API shows now, and judges VMs that still run.
    pub(super) fn apply(
        &mut self,
        view: &View,
        processes: &Processes,
        (seq, at_us): (u64, u64),
        finding: &mut Finding,
    ) {
        let is_due = |early: &Early| at_us > early.at_us + SECOND_US;
        for early in self.early.extract_if(.., |early| is_due(early)) {
            early.report(finding);
        }
        self.orphans.judge(processes, (seq, at_us), finding);
        let vms: BTreeSet<String> = processes.of_vms().map(|process| process.vm.clone()).collect();
        // VMs that stop one after the other share the daemon's time, so only one alone is judged.
        let is_alone = vms.len() == 1;
        for vm in vms {
            if !is_told_to_stop(view, &vm) {
                self.since_us.remove(&vm);
                self.late.remove(&vm);
                continue;
            }
            let since = *self.since_us.entry(vm.clone()).or_insert(at_us);
            if is_alone && at_us > since + STOP_US && self.late.insert(vm.clone()) {
                let text = format!(
                    "the VM {vm} still runs {} s after it was told to stop",
                    STOP_US / SECOND_US
                );
                finding.violated(Check::VmStopsLate, seq, text);
            }
        }
    }

    /// Judges a process that has ended: a frozen one did not end by itself.
    pub(super) fn ended(&mut self, live: Live, (seq, at_us): (u64, u64)) {
        let Live { process, is_frozen, is_killed } = live;
        if process.role != VmRole::Hostagent || !is_frozen || is_killed {
            return;
        }
        self.orphans.ended(&process, at_us);
        let since = self.since_us.get(&process.vm).copied();
        if let Some(since_us) = since.filter(|since| at_us < since + GRACE_US) {
            self.early.push(Early { process: process.clone(), since_us, seq, at_us });
        }
        self.ended.push((process, at_us));
    }

    /// The daemon has ended or was started: who was told to stop, and when, is known no more.
    pub(super) fn daemon_moved(&mut self) {
        self.since_us.clear();
        self.late.clear();
        self.early.clear();
    }

    /// Judges a stop of the daemon that has returned.
    pub(super) fn service_stopped(
        &mut self,
        run: &CommandRun,
        (seq, at_us): (u64, u64),
        finding: &mut Finding,
    ) {
        let took_us = run.took_ms * 1000;
        let began_us = at_us.saturating_sub(took_us);
        for (process, ended_us) in self.ended.drain(..) {
            let is_of_this_stop = ended_us >= began_us && !self.since_us.contains_key(&process.vm);
            // Shortly before the end of the command, the daemon had ended, and the kernel ends the rest.
            let had_daemon = run.exit.is_success() && ended_us + SECOND_US < at_us;
            if is_of_this_stop && had_daemon && ended_us < began_us + GRACE_US {
                Early { process, since_us: began_us, seq, at_us: ended_us }.report(finding);
            }
        }
        if run.exit.is_success() && took_us > SHUTDOWN_US {
            let text = format!("the daemon took {} s to stop", took_us / SECOND_US);
            finding.violated(Check::DaemonStopsLate, seq, text);
        }
    }
}

impl Early {
    fn report(self, finding: &mut Finding) {
        let VmProcess { pid, vm, .. } = self.process;
        let took = (self.at_us - self.since_us) / SECOND_US;
        let text = format!("hostagent {pid} of {vm} was killed {took} s after it was told to stop");
        finding.violated(Check::KilledEarly, self.seq, text);
    }
}

/// Whether the API shows that the VM shall stop, or does not show the VM any more.
fn is_told_to_stop(view: &View, vm: &str) -> bool {
    view.object("limavms", vm).is_none_or(|object| {
        let is_wanted = object.pointer("/spec/running").and_then(Value::as_bool).unwrap_or(false);
        !is_wanted || object.pointer("/metadata/deletionTimestamp").is_some()
    })
}
