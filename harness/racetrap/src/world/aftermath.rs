//! What is done for a world whose harness has ended without closing it: it is captured while it lives,
//! swept, and its bundle is completed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::sweep::{Swept, sweep};
use crate::bundle::{Cause, Patient, Trigger, capture, claim, on_thread, seal, seal_claimed};
use crate::chain::chain;
use crate::derived;
use crate::mask::Masker;

/// What the bundle says of why it was made.
const REASON: &str = "the harness ended without closing this world";

/// Captures and sweeps the world in `directory`. That nothing can be captured keeps nothing alive.
///
/// # Errors
/// Where something would not go; all the rest is gone then.
pub(super) async fn aftermath(directory: &Path) -> io::Result<Swept> {
    let masker = Masker::default();
    let cause = Cause::new(Trigger::Killed, REASON);
    let (captured, evidence) = match Patient::of(directory) {
        Ok(Some(patient)) if patient.evidence.is_dir() => {
            let captured = capture(&patient, cause.clone(), &masker, || {}).await;
            (captured, Some(patient.evidence))
        }
        Ok(_) => (Ok(()), None),
        Err(error) => (Err(error), None),
    };
    // A harness that has given this world up may seal the bundle at the same time: it must not find logs
    // that are there already, and not masked yet.
    let claimed = match evidence {
        Some(evidence) => {
            Some(on_thread(move || claim(&evidence)).await.map_err(io::Error::other)??)
        }
        None => None,
    };
    let mut swept = sweep(directory).await?;
    if let Err(error) = captured {
        swept.leftovers.push(format!("nothing of it; it could not be captured: {error}"));
    }
    if let Some(evidence) = &swept.evidence {
        tell(evidence, &swept.leftovers)?;
        match claimed {
            Some(claimed) => seal_claimed(evidence, cause, &masker, claimed).await?,
            None => seal(evidence, cause, &masker).await?,
        };
    }
    Ok(swept)
}

/// Judges what the journal has, and leaves a word on what was removed beside it: it ends where the harness
/// was killed. A neighbour has no journal of its own.
fn tell(evidence: &Path, leftovers: &[String]) -> io::Result<()> {
    let has_journal = evidence.join(derived::JOURNAL).is_file();
    let judged = if has_journal { derived::rebuild(evidence).map(|_| ()) } else { Ok(()) };
    let mut file = File::create(evidence.join("swept.txt"))?;
    writeln!(file, "The harness ended without closing this world. Its watcher removed:")?;
    for leftover in leftovers {
        writeln!(file, "- {leftover}")?;
    }
    if let Err(error) = judged {
        writeln!(file, "The history could not be judged: {}", chain(&error))?;
    }
    Ok(())
}
