//! What an oracle returns, and the list of all oracles.

use super::{
    bounded_work, clean_runs, command_line, convergence, counts, docker_config_integrity,
    engine_requests, healing, hygiene, identity, kubeconfig_integrity, liveness, log_fidelity,
    no_lost_update, object_form, quiet_logs, truthful_conditions, vm_lifecycle,
};
use crate::check::Check;
use crate::record::Record;
use crate::verdict::{Excused, Unknown, Violation};

/// What one oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// Reasons why the history neither shows that a promise was kept nor that it was broken.
    pub unknowns: Vec<Unknown>,
    /// Errors in the daemon's log that break no promise, and why.
    pub excused: Vec<Excused>,
}

impl Finding {
    /// Adds a violation, which the record with the number `seq` shows.
    pub(super) fn violated(&mut self, check: Check, seq: u64, text: impl Into<String>) {
        let (oracle, check) = (check.oracle(), Some(check));
        self.violations.push(Violation { oracle, seq, check, text: text.into() });
    }

    /// Adds a reason why a promise could not be judged, which the record with the number `seq` gives.
    pub(super) fn unknown(&mut self, seq: u64, text: impl Into<String>) {
        self.unknowns.push(Unknown::at(seq, text));
    }

    /// Counts an error of the log that is excused for this reason.
    pub(super) fn excused(&mut self, why: String) {
        match self.excused.iter_mut().find(|excused| excused.why == why) {
            Some(excused) => excused.lines += 1,
            None => self.excused.push(Excused { lines: 1, why }),
        }
    }
}

/// An oracle: judges some promises over a complete history of one daemon.
pub type Oracle = fn(&[Record]) -> Finding;

/// An oracle, and how much of a history it judges.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// The oracle.
    pub oracle: Oracle,
    /// Whether it is also given what follows after the harness has begun to end the run
    /// ([`What::Ending`](crate::What::Ending)). To the others, that is the end.
    pub sees_ending: bool,
}

/// All oracles, in the order of [`OracleName`](crate::OracleName).
///
/// The harness ends a world by an orderly stop of its daemon, if it did not have to end that otherwise.
/// Four oracles judge what such a stop leaves: of the daemon's own, of its VMs, and of the user's files.
pub const ALL: [Judge; 18] = [
    up_to_ending(convergence),
    up_to_ending(identity),
    up_to_ending(truthful_conditions),
    up_to_ending(no_lost_update),
    up_to_ending(bounded_work),
    up_to_ending(counts),
    up_to_ending(object_form),
    up_to_ending(engine_requests),
    up_to_ending(command_line),
    to_the_end(hygiene),
    to_the_end(vm_lifecycle),
    to_the_end(docker_config_integrity),
    to_the_end(kubeconfig_integrity),
    up_to_ending(log_fidelity),
    up_to_ending(quiet_logs),
    up_to_ending(liveness),
    up_to_ending(healing),
    up_to_ending(clean_runs),
];

const fn up_to_ending(oracle: Oracle) -> Judge {
    Judge { oracle, sees_ending: false }
}

const fn to_the_end(oracle: Oracle) -> Judge {
    Judge { oracle, sees_ending: true }
}
