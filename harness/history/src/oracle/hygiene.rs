//! A daemon that has stopped leaves nothing behind (contract 4.6: `svc stop` ends the watcher and
//! removes the context; 3.9.2: the daemon's process has ended).
//!
//! The harness looks for leftovers when it closes a world, and records whether the daemon or the
//! harness should have removed them. If the harness killed the daemon, the harness removes its
//! leftovers. If the daemon stopped in order, a leftover is the daemon's fault.

use super::Finding;
use crate::check::Check;
use crate::record::{Owner, Record, What};

/// Judges what was left when the world was closed.
#[must_use]
pub fn hygiene(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    for record in history {
        if let What::Leak { text, owner: Owner::Daemon } = &record.what {
            let text = format!("the daemon has stopped, but {text}");
            finding.violated(Check::LeftByDaemon, record.seq, text);
        }
    }
    finding
}
