//! Captures and sweeps a world whose harness has ended without closing it, and completes the
//! bundle.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::sweep::{Swept, sweep};
use crate::bundle::{CaptureTarget, Cause, Trigger, capture, claim, on_thread, seal, seal_claimed};
use crate::chain::chain;
use crate::derived;
use crate::mask::Masker;

/// The reason that the bundle's manifest gives.
const REASON: &str = "the harness ended without closing this world";

/// Captures and sweeps the world in `directory`. A capture that fails does not keep the world from
/// being swept.
///
/// # Errors
/// If something could not be removed. Everything else is removed nevertheless.
pub(super) async fn capture_and_sweep(directory: &Path) -> io::Result<Swept> {
    let masker = Masker::default();
    let cause = Cause::new(Trigger::Killed, REASON);
    let (captured, evidence) = match CaptureTarget::read(directory) {
        Ok(Some(target)) if target.evidence.is_dir() => {
            let captured = capture(&target, cause.clone(), &masker, || {}).await;
            (captured, Some(target.evidence))
        }
        Ok(_) => (Ok(()), None),
        Err(error) => (Err(error), None),
    };
    // A harness that gave this world up may seal the same bundle at this moment. The claim keeps it
    // from sealing between the sweep, which copies logs there, and the masking of these logs.
    let claimed = match evidence {
        Some(evidence) => {
            Some(on_thread(move || claim(&evidence)).await.map_err(io::Error::other)??)
        }
        None => None,
    };
    let mut swept = sweep(directory).await?;
    if let Err(error) = captured {
        swept.leftovers.push(format!("everything, without a capture, which failed: {error}"));
    }
    if let Some(evidence) = &swept.evidence {
        judge_and_report(evidence, &swept.leftovers)?;
        match claimed {
            Some(claimed) => seal_claimed(evidence, cause, &masker, claimed).await?,
            None => seal(evidence, cause, &masker).await?,
        };
    }
    Ok(swept)
}

/// Judges the journal, which ends where the harness was killed, and lists what was removed in a
/// file beside it. The evidence of a neighbour has no journal, so only the list is written there.
fn judge_and_report(evidence: &Path, leftovers: &[String]) -> io::Result<()> {
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
