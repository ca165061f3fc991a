//! How long a call of `wsl.exe` may take, and when it may be made (contract 7.5).

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{WslCall, WslChange};
use crate::scenario::WslCommand;

const SECOND_US: u64 = 1_000_000;

/// What a busy machine may add to a limit.
const BUSY_US: u64 = 5 * SECOND_US;

/// The calls that have not ended, by their number.
#[derive(Default)]
pub(super) struct Calls {
    open: BTreeMap<u64, (WslCall, u64)>,
}

impl Calls {
    /// Applies a change, and judges it.
    pub(super) fn apply(
        &mut self,
        call: &WslCall,
        (seq, at_us): (u64, u64),
        finding: &mut Finding,
    ) {
        let is_begin = call.change == WslChange::Began;
        if !is_begin {
            self.open.remove(&call.number);
            return;
        }
        if call.command == WslCommand::Unregister && call.running {
            let name = call.distribution.as_deref().unwrap_or_default();
            let text = format!("{name} was to be unregistered while it ran, which blocks WSL");
            finding.violated(Check::UnregisteredRunning, seq, text);
        }
        self.open.insert(call.number, (call.clone(), at_us));
    }

    /// Judges calls that still have not ended.
    pub(super) fn judge(&mut self, (seq, at_us): (u64, u64), finding: &mut Finding) {
        let is_late = |call: &WslCall, since: u64| {
            limit_us(call.command).is_some_and(|limit| at_us > since + limit + BUSY_US)
        };
        for (_, (call, since)) in self.open.extract_if(.., |_, (call, since)| is_late(call, *since))
        {
            let took = (at_us - since) / SECOND_US;
            let text = format!("{call}; after {took} s it has neither ended nor been killed");
            finding.violated(Check::WslUnbounded, seq, text);
        }
    }

    /// The daemon has ended, and waits for no call any more.
    pub(super) fn daemon_moved(&mut self) {
        self.open.clear();
    }
}

/// How long the daemon may wait for an answer. A session lasts as long as its VM.
fn limit_us(command: WslCommand) -> Option<u64> {
    match command {
        WslCommand::List | WslCommand::Terminate => Some(10 * SECOND_US),
        WslCommand::Import | WslCommand::Unregister => Some(30 * SECOND_US),
        WslCommand::Session | WslCommand::Shutdown | WslCommand::Status => None,
    }
}
