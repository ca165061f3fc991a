//! Mirrors equal the engine's objects once the world is quiet (contract 4.1, 4.2, 4.7).
//!
//! A checkpoint has two stages. At `Level` the daemon was given nothing but what the scenario did;
//! at `Probed` a volume created after all of that has passed through the mirror, which proves that
//! the daemon had its turn with everything before it. A difference that is still there then is a
//! violation. One that only the probe cured is neither shown nor excluded: the daemon may have
//! been slow, or may have needed another event.

use super::Finding;
use crate::check::Check;
use crate::record::{Record, Stage, What};
use crate::view::View;

/// Judges every checkpoint of the history.
#[must_use]
pub fn convergence(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut at_level = Vec::new();
    for record in history {
        view.apply(record);
        let What::Checkpoint { number, stage } = &record.what else { continue };
        let differences = view.differences();
        match stage {
            Stage::Level => at_level = differences,
            Stage::Probed if view.app().is_none() => {
                finding.unknown(
                    record.seq,
                    format!("checkpoint {number}: there is no App to be judged"),
                );
            }
            Stage::Probed => {
                if differences.is_empty() && !at_level.is_empty() {
                    finding.unknown(
                        record.seq,
                        format!(
                            "checkpoint {number}: converged only after another event: {}",
                            at_level.join("; ")
                        ),
                    );
                }
                for difference in differences {
                    finding.violated(Check::MirrorsDiffer, record.seq, difference);
                }
            }
        }
    }
    finding
}
