//! What the daemon began is gone when it has stopped (contract 4.6: `svc stop` ends the watcher and
//! removes the context; 3.9.2: its process has ended).
//!
//! The harness looks for what is left when it closes a world, and says whose it was. What a killed
//! daemon leaves is the harness's to sweep; what a daemon leaves that was stopped in order, is its own.

use super::Finding;
use crate::record::{Owner, Record, What};
use crate::scenario::OracleName;

/// Judges what was left when the world was closed.
#[must_use]
pub fn hygiene(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    for record in history {
        if let What::Leak { text, owner: Owner::Daemon } = &record.what {
            let text = format!("the daemon has stopped, yet {text}");
            finding.violated(OracleName::Hygiene, record.seq, text);
        }
    }
    finding
}
