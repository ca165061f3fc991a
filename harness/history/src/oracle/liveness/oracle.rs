//! The daemon keeps running, and reaches what it was asked for within the deadline.
//!
//! - The runner decides who is to blame for a missed deadline ([`Blame`]). It blames the daemon only for
//!   something that the daemon promises to do by itself.
//! - When the world is quiet, the daemon has carried out each request for a container's state, or has
//!   reported its failure (`requests`).

use super::requests;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{Blame, DAEMON_PARTS, ProcessState, Record, What};

/// Judges missed deadlines, processes of the daemon that died, and forgotten requests.
#[must_use]
pub fn liveness(history: &[Record]) -> Finding {
    let mut finding = requests::judge(history);
    for record in history {
        match &record.what {
            What::StepFailed { index, blame: Blame::Daemon, why } => finding.violated(
                Check::StepFailed,
                record.seq,
                format!("step {}: {why}", index + 1),
            ),
            What::Process { name, pid, state: ProcessState::Died { exit }, .. }
                if DAEMON_PARTS.contains(&name.as_str()) =>
            {
                finding.violated(
                    Check::DaemonDied,
                    record.seq,
                    format!("the {name} (pid {pid}) ended by itself: {exit}"),
                );
            }
            _ => {}
        }
    }
    finding
}
