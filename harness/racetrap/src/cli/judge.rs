//! `racetrap judge`.

use std::path::{Path, PathBuf};

use miette::{Report, miette};

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::bundle::LoadedBundle;
use crate::derived::{JOURNAL, Rebuilt, VERDICT};
use crate::report::{self, Recorded, RunReport, Terminal};

/// Arguments of `judge`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Evidence of a run: its directory, or the archive of one
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
}

/// Judges the journal of a bundle with the current oracles. Changes nothing in the bundle.
pub(super) fn judge(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let path = &args.bundle;
    let bundle = LoadedBundle::read(path, |file| [JOURNAL, VERDICT].contains(&file));
    let bundle = bundle.map_err(|error| Failure::usage(Report::from_err(error)))?;
    let rebuilt = judged(&bundle, path)?;
    let recorded = match bundle.file(VERDICT).map(serde_json::from_slice) {
        Some(Ok(judgement)) => Recorded::Verdict(judgement),
        Some(Err(error)) => Recorded::Nothing(format!("{VERDICT} cannot be used: {error}")),
        None => Recorded::Nothing(format!("there is no {VERDICT}")),
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    // A run that a matrix made is judged here as any other: whoever asks for one wants to see why.
    let report = RunReport { cell: None, ..RunReport::rebuilt(rebuilt, path) };
    terminal.write(&match format {
        Format::Human => report::judged(&report, &recorded, terminal.paint()),
        Format::Json => report::judged_json(&report, &recorded),
    })?;
    Ok(Exit::from(report.judgement.verdict))
}

/// The history of a bundle, judged by the current oracles.
pub(super) fn judged(bundle: &LoadedBundle, path: &Path) -> Result<Rebuilt, Failure> {
    let journal = bundle.file(JOURNAL).ok_or_else(|| {
        let why = bundle.why_missing(JOURNAL);
        Failure::usage(miette!("there is no {JOURNAL} in {}: {why}", path.display()))
    })?;
    Rebuilt::from_journal(journal).map_err(|error| {
        let context = format!("{JOURNAL} of {} cannot be judged", path.display());
        Failure::usage(Report::from_err(error).wrap_err(context))
    })
}
