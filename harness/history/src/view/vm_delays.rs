//! What keeps a VM from following the daemon: processes that a step has frozen, and calls of `wsl.exe` that
//! have not ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::{Record, VmProcessChange, What, WslChange};
use crate::scenario::WslCommand;

/// A graceful stop, and the forced one behind it (contract 7.4.1, 7.4.2).
const STOP: Duration = Duration::from_secs(30 + 10);

/// The processes and calls that are there now.
#[derive(Clone, Debug, Default)]
pub(super) struct VmDelays {
    /// Process ID and start time of each frozen process.
    frozen: BTreeSet<(u32, u64)>,
    /// The calls by their numbers.
    calls: BTreeMap<u64, WslCommand>,
    /// The longest bound since the last step began.
    longest: Duration,
}

impl VmDelays {
    /// Applies the next record.
    pub(super) fn apply(&mut self, record: &Record) {
        if let What::VmProcess(process) = &record.what {
            let identity = (process.pid, process.started);
            match process.change {
                VmProcessChange::Frozen => {
                    self.frozen.insert(identity);
                }
                VmProcessChange::Began
                | VmProcessChange::Ended
                | VmProcessChange::Killed
                | VmProcessChange::Thawed => {
                    self.frozen.remove(&identity);
                }
            }
        }
        if let What::StepBegan { .. } = &record.what {
            self.longest = Duration::ZERO;
        }
        if let What::WslCall(call) = &record.what {
            match call.change {
                WslChange::Began => self.calls.insert(call.number, call.command),
                WslChange::Ended(_) | WslChange::Killed => self.calls.remove(&call.number),
            };
        }
        self.longest = self.longest.max(self.bound());
    }

    /// How long the daemon may take for what it does with a VM in this step; zero if nothing has kept it.
    pub(super) fn longest(&self) -> Duration {
        self.longest
    }

    fn bound(&self) -> Duration {
        let of_frozen = if self.frozen.is_empty() { Duration::ZERO } else { STOP };
        let of_calls = self.calls.values().map(|command| match command {
            // It lasts as long as the VM runs.
            WslCommand::Session => Duration::ZERO,
            // The daemon kills these (contract 7.5.5).
            WslCommand::Terminate | WslCommand::List => Duration::from_secs(10),
            WslCommand::Unregister => Duration::from_secs(30),
            // No promise bounds these.
            WslCommand::Import | WslCommand::Shutdown | WslCommand::Status => Duration::MAX,
        });
        of_calls.fold(of_frozen, Duration::max)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::record::{VmProcess, WslCall};
    use crate::scenario::VmRole;

    fn process(change: VmProcessChange) -> What {
        let (vm, role) = ("rd".to_owned(), VmRole::Hostagent);
        What::VmProcess(VmProcess { vm, role, pid: 7, started: 1, group: 7, change })
    }

    fn call(command: WslCommand, change: WslChange) -> What {
        let distribution = Some("rd".to_owned());
        What::WslCall(WslCall { pid: 9, number: 3, command, distribution, running: true, change })
    }

    // What has kept the VM before the step does not count.
    #[rstest]
    #[case::nothing(vec![], Duration::ZERO)]
    #[case::frozen(vec![process(VmProcessChange::Frozen)], STOP)]
    #[case::thawed(
        vec![
            process(VmProcessChange::Frozen),
            process(VmProcessChange::Thawed),
            What::StepBegan { index: 1 },
        ],
        Duration::ZERO
    )]
    #[case::unregister(
        vec![call(WslCommand::Unregister, WslChange::Began)], Duration::from_secs(30)
    )]
    #[case::import_in_an_earlier_step(
        vec![
            call(WslCommand::Import, WslChange::Began),
            call(WslCommand::Import, WslChange::Killed),
            What::StepBegan { index: 1 },
        ],
        Duration::ZERO
    )]
    #[case::import(
        vec![
            call(WslCommand::Import, WslChange::Began),
            call(WslCommand::Import, WslChange::Killed),
        ],
        Duration::MAX
    )]
    #[case::session(vec![call(WslCommand::Session, WslChange::Began)], Duration::ZERO)]
    fn the_daemon_has_as_long_as_the_contract_says(
        #[case] history: Vec<What>,
        #[case] expected: Duration,
    ) {
        let mut delays = VmDelays::default();
        for what in history {
            delays.apply(&Record { seq: 0, at_us: 0, neighbour: false, what });
        }
        assert_eq!(delays.longest(), expected);
    }
}
