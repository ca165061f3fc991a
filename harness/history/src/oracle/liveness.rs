//! What was asked for is reached within the deadline, and the daemon lives.
//!
//! The runner decides whose failure a missed deadline is ([`Blame`]): only what the daemon promises
//! to do by itself is its own.

use super::Finding;
use crate::{Blame, OracleName, ProcessState, Record, What};

/// Judges missed deadlines and dead daemons.
#[must_use]
pub fn liveness(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    for record in history {
        match &record.what {
            What::StepFailed { index, blame: Blame::Daemon, why } => finding.violated(
                OracleName::Liveness,
                record.seq,
                format!("step {}: {why}", index + 1),
            ),
            What::Process { name, pid, state: ProcessState::Died { how }, .. }
                if name == "daemon" =>
            {
                finding.violated(
                    OracleName::Liveness,
                    record.seq,
                    format!("the daemon (pid {pid}) ended by itself: {how}"),
                );
            }
            _ => {}
        }
    }
    finding
}
