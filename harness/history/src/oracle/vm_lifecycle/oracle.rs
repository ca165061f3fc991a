//! Reads the history, and judges each checkpoint.

use std::collections::BTreeMap;

use serde_json::Value;

use super::boots::Boots;
use super::processes::{Id, Processes};
use super::stops::Stops;
use super::wsl::Calls;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{CommandRun, ProcessState, Record, SshKeys, VmFiles, What};
use crate::scenario::VmRole;
use crate::view::View;

/// What the name of a VM's distribution begins with (contract 7.5.1).
const DISTRIBUTION: &str = "lima-";

/// Judges the VMs of one daemon.
#[must_use]
pub fn vm_lifecycle(history: &[Record]) -> Finding {
    let mut judge = Lifecycle::default();
    for record in history {
        judge.apply(record);
    }
    judge.finding
}

#[derive(Default)]
struct Lifecycle {
    finding: Finding,
    view: View,
    processes: Processes,
    stops: Stops,
    calls: Calls,
    boots: Boots,
    files: Option<VmFiles>,
    daemon: Daemon,
    /// The hostagent and the number of starts of each VM that ran at the last checkpoint.
    ran: BTreeMap<String, Ran>,
    is_daemon_down: bool,
    is_ending: bool,
}

/// A VM that ran at a checkpoint.
struct Ran {
    /// UID of the LimaVM: another one counts its starts anew.
    uid: String,
    agent: Id,
    starts: i64,
}

/// How the daemon's process ended last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Daemon {
    /// It runs, or was killed: its VMs may run, too.
    #[default]
    MayHaveVms,
    /// A stop was late, so the daemon has ended at once (contract 1.3.7).
    WasLate,
    /// `svc stop` has returned, and the daemon had the time to end its VMs.
    HasStopped,
}

impl Lifecycle {
    fn apply(&mut self, record: &Record) {
        self.view.apply(record);
        self.boots.forget_deleted(&self.view);
        let at = (record.seq, record.at_us);
        if !self.is_ending {
            self.calls.judge(at, &mut self.finding);
        }
        match &record.what {
            What::Ending => self.is_ending = true,
            What::VmProcess(process) => {
                self.stops.orphans.apply(process);
                self.boots.apply(process);
                if let Some(ended) = self.processes.apply(process, record.seq, &mut self.finding) {
                    self.stops.ended(ended, at);
                }
            }
            What::VmFiles(files) => self.look(files, record.seq),
            What::WslCall(call) if !self.is_ending => {
                self.calls.apply(call, at, &mut self.finding);
            }
            What::Process { name, state, .. } if name == "daemon" => {
                self.is_daemon_down = *state != ProcessState::Started;
                self.stops.daemon_moved();
                self.calls.daemon_moved();
                if self.is_daemon_down {
                    self.stops.orphans.left_by(&self.processes);
                } else {
                    self.stops.orphans.daemon_is_ready(record.at_us);
                    self.daemon = Daemon::MayHaveVms;
                }
            }
            What::Command(run) if is_service(run, "start") => {
                self.stops.orphans.daemon_began(run, at, &mut self.finding);
            }
            What::Command(run) if is_service(run, "stop") => {
                self.stops.service_stopped(run, at, &mut self.finding);
                self.daemon = match self.daemon {
                    Daemon::WasLate => Daemon::WasLate,
                    _ if run.exit.is_success() => Daemon::HasStopped,
                    _ => Daemon::WasLate,
                };
            }
            What::Checkpoint { .. } => self.judge(record.seq),
            _ => {}
        }
        // The harness ends what is left of a world that it closes.
        if !self.is_ending && !self.is_daemon_down {
            self.stops.apply(&self.view, &self.processes, at, &mut self.finding);
        }
    }

    /// Compares the files with those of the last look. After a stop of the daemon, nothing of any VM
    /// may be left.
    fn look(&mut self, files: &VmFiles, seq: u64) {
        self.boots.judge(files, seq, &mut self.finding);
        let before = self.files.replace(files.clone());
        let before = before.map(|before| before.keys);
        if let (Some(SshKeys::Whole(before)), SshKeys::Whole(now)) = (before, &files.keys)
            && before != *now
        {
            self.violated(
                Check::KeysReplaced,
                seq,
                "a whole pair of SSH keys was replaced".to_owned(),
            );
        }
        if self.daemon != Daemon::HasStopped {
            return;
        }
        for process in self.processes.of_vms().cloned().collect::<Vec<_>>() {
            let (role, pid, vm) = (process.role, process.pid, &process.vm);
            self.violated(
                Check::ProcessOutlives,
                seq,
                format!("the daemon has stopped, but {role} {pid} of {vm} runs on"),
            );
        }
        for listener in &files.listening {
            let text = format!("the daemon has stopped, but {listener}");
            self.violated(Check::VmListens, seq, text);
        }
        if !files.left.is_empty() {
            let left = files.left.join(", ");
            self.violated(
                Check::FilesOutlive,
                seq,
                format!("the daemon has stopped, but left {left}"),
            );
        }
    }

    /// Compares what the API says of each VM with its processes and files.
    fn judge(&mut self, seq: u64) {
        if !self.processes.are_observed {
            return;
        }
        let mut ran = BTreeMap::new();
        for vm in self.vms() {
            let (status, reason, starts) = self.state(&vm);
            match (status.as_str(), reason.as_str()) {
                ("True", _) => {
                    ran.extend(self.judge_running(&vm, starts, seq).map(|it| (vm, it)));
                }
                ("False", "Stopped") | ("", _) => self.judge_stopped(&vm, seq),
                _ => {}
            }
        }
        self.ran = ran;
    }

    /// The names of all VMs that the API shows, or of which a process or a distribution is there.
    fn vms(&self) -> Vec<String> {
        let shown = self.view.objects("limavms");
        let names = shown.filter_map(|object| object.pointer("/metadata/name")?.as_str());
        let running = self.processes.of_vms().map(|process| process.vm.as_str());
        let distributions = self.files.iter().flat_map(|files| &files.distributions);
        let distributions = distributions.filter_map(|it| it.name.strip_prefix(DISTRIBUTION));
        let names = names.chain(running).chain(distributions);
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Status and reason of the condition `Running`, and the number of starts; empty for a VM that the
    /// API does not show. The condition of a VM that is being deleted says nothing any more.
    fn state(&self, vm: &str) -> (String, String, i64) {
        let object = self.view.object("limavms", vm).cloned().unwrap_or_default();
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            return ("Unknown".to_owned(), "Deleting".to_owned(), 0);
        }
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        let running = conditions.find(|condition| condition["type"] == "Running");
        let text = |field: &str| running.and_then(|it| it[field].as_str()).unwrap_or("").to_owned();
        let starts = object.pointer("/status/restartCount").and_then(Value::as_i64);
        (text("status"), text("reason"), starts.unwrap_or_default())
    }

    /// A VM that runs has one hostagent and one driver, and its user can log in. Returns it as it runs now.
    fn judge_running(&mut self, vm: &str, starts: i64, seq: u64) -> Option<Ran> {
        for role in [VmRole::Hostagent, VmRole::Driver] {
            let count = self.processes.of(vm, role).count();
            if count != 1 {
                self.violated(
                    Check::ProcessCount,
                    seq,
                    format!("the VM {vm} runs, and has {count} processes `{role}`"),
                );
            }
        }
        match self.files.as_ref().map(|files| files.keys.clone()) {
            Some(SshKeys::Whole(_)) | None => {}
            Some(keys) => self.violated(
                Check::KeysNotWhole,
                seq,
                format!("the VM {vm} runs, and there is: {keys}"),
            ),
        }
        let agent = self.processes.of(vm, VmRole::Hostagent).next()?;
        let agent = (agent.process.pid, agent.process.started);
        let object = self.view.object("limavms", vm)?;
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        let uid = uid.to_owned();
        if let Some(before) = self.ran.get(vm).filter(|before| before.uid == uid)
            && before.agent != agent
            && starts <= before.starts
        {
            let text =
                format!("the VM {vm} has another hostagent, but restartCount is still {starts}");
            self.violated(Check::RestartNotCounted, seq, text);
        }
        Some(Ran { uid, agent, starts })
    }

    /// The distribution of a VM that has stopped does not run, and that of a deleted one is gone.
    fn judge_distribution(&mut self, vm: &str, seq: u64) {
        let name = format!("{DISTRIBUTION}{vm}");
        let mut all = self.files.iter().flat_map(|files| &files.distributions);
        let Some(found) = all.find(|it| it.name == name) else { return };
        let is_deleted = self.view.object("limavms", vm).is_none();
        let (check, what) = match (found.running, is_deleted) {
            (true, _) => (Check::DistributionRuns, "has stopped, but its distribution runs on"),
            (false, true) => (Check::DistributionLeft, "was deleted, but its distribution is left"),
            (false, false) => return,
        };
        self.violated(check, seq, format!("the VM {vm} {what}"));
    }

    /// A VM that has stopped or was deleted has no process, no files and no listening socket.
    fn judge_stopped(&mut self, vm: &str, seq: u64) {
        self.judge_distribution(vm, seq);
        for role in [VmRole::Hostagent, VmRole::Driver] {
            let left = self.processes.of(vm, role).next().map(|left| left.process.pid);
            if let Some(pid) = left {
                self.violated(
                    Check::VmProcessLeft,
                    seq,
                    format!("the VM {vm} has stopped, but its {role} {pid} runs on"),
                );
            }
        }
        let listening = self.files.iter().flat_map(|files| &files.listening);
        let listening: Vec<_> = listening.filter(|it| it.vm == vm).cloned().collect();
        for listener in listening {
            let text = format!("the VM {vm} has stopped, but {listener}");
            self.violated(Check::VmListens, seq, text);
        }
        let prefix = format!("{vm}/");
        let files = self.files.iter().flat_map(|files| &files.left);
        let left: Vec<_> = files.filter(|file| file.starts_with(&prefix)).cloned().collect();
        if !left.is_empty() {
            self.violated(
                Check::VmFilesLeft,
                seq,
                format!("the VM {vm} has stopped, but left {}", left.join(", ")),
            );
        }
    }

    fn violated(&mut self, check: Check, seq: u64, text: String) {
        self.finding.violated(check, seq, text);
    }
}

fn is_service(run: &CommandRun, verb: &str) -> bool {
    run.arguments.iter().take(2).eq(["svc", verb])
}
