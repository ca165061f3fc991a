//! A failure as a scenario file that a person can read and `repro` can run.

use std::path::{Path, PathBuf};
use std::{fs, io};

use racetrap_history::{About, Platform, Replay, Scenario};
use racetrap_search::{Plan, Signature};

/// What a replay file says of its failure, beside the schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed<'a> {
    /// The plan that failed.
    pub(crate) plan: &'a Plan,
    /// How its run failed.
    pub(crate) signature: &'a Signature,
    /// The broken promises.
    pub(crate) reasons: &'a [String],
    /// Gates and rules in the order in which they acted.
    pub(crate) order: &'a [String],
}

/// Writes `scenario`, which fails in the way of `replay`, to a file of its own below `directory`.
pub(crate) fn write_replay(
    directory: &Path,
    replay: Failed<'_>,
    scenario: &Scenario,
) -> io::Result<PathBuf> {
    let Failed { plan, signature, reasons, order } = replay;
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
    let expected = Replay { oracle, order: order.to_vec() };
    let whole = Scenario { about: Some(about), replay: Some(expected), ..scenario.clone() };
    let text = serde_yaml::to_string(&whole).map_err(io::Error::other)?;
    fs::create_dir_all(directory)?;
    let path = directory.join(format!("{}.yaml", plan.scenario.finding));
    fs::write(&path, text)?;
    Ok(path)
}
