//! A failure as a scenario file that a person can read and `repro` can run.

use std::path::{Path, PathBuf};
use std::{fs, io};

use racetrap_history::{About, OracleName, Platform, Replay as Expected, Scenario};

use super::exploring::Failure;
use super::token::to_token;
use crate::scenario_file::to_yaml;

/// A failure as a file.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) path: PathBuf,
    /// The same in one line.
    pub(crate) token: String,
}

/// Writes `scenario`, which fails like `failure`, to a file of its own below `directory`. `order` is that of
/// its gates and rules.
pub(crate) fn write_replay(
    directory: &Path,
    failure: &Failure,
    scenario: &Scenario,
    order: &[String],
) -> io::Result<Replay> {
    let Failure { signature, plan, reasons, .. } = failure;
    let oracle = signature.oracle;
    let about = About {
        title: plan.title(),
        source: "found by a search".to_owned(),
        broken: reasons.join("\n"),
        correct: "No promise is broken.".to_owned(),
        oracle,
        promises: Vec::new(),
        defect: String::new(),
        unrelated: String::new(),
        covers: Vec::new(),
        platforms: vec![Platform::Linux],
    };
    let expected = Expected { oracle, order: order.to_vec() };
    // What clean runs have shown is long, and only one oracle reads it.
    let clean = scenario.clean.clone().filter(|_| oracle == OracleName::CleanRuns);
    let whole = Scenario { about: Some(about), replay: Some(expected), clean, ..scenario.clone() };
    let text = to_yaml(&whole)?;
    fs::create_dir_all(directory)?;
    let path = directory.join(format!("{}.yaml", plan.scenario.finding));
    let token = to_token(&text)?;
    fs::write(&path, text)?;
    Ok(Replay { path, token })
}
