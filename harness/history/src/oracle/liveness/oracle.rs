//! What was asked for is reached within the deadline, and the daemon lives.
//!
//! - The runner decides whose failure a missed deadline is ([`Blame`]): only what the daemon
//!   promises to do by itself is its own.
//! - A wish for a container's state is fulfilled, or its failure told, by the time that the world is
//!   quiet (`wishes`).

use super::wishes;
use crate::oracle::Finding;
use crate::record::{Blame, DAEMON_PARTS, ProcessState, Record, What};
use crate::scenario::OracleName;

/// Judges missed deadlines, dead daemons and wishes that were forgotten.
#[must_use]
pub fn liveness(history: &[Record]) -> Finding {
    let mut finding = wishes::judge(history);
    for record in history {
        match &record.what {
            What::StepFailed { index, blame: Blame::Daemon, why } => finding.violated(
                OracleName::Liveness,
                record.seq,
                format!("step {}: {why}", index + 1),
            ),
            What::Process { name, pid, state: ProcessState::Died { exit }, .. }
                if DAEMON_PARTS.contains(&name.as_str()) =>
            {
                finding.violated(
                    OracleName::Liveness,
                    record.seq,
                    format!("the {name} (pid {pid}) ended by itself: {exit}"),
                );
            }
            _ => {}
        }
    }
    finding
}
