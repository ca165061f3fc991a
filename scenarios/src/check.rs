//! One entry on one daemon, and whether it is judged as it must be.

use std::fmt;
use std::path::Path;

use racetrap::catalogue::{Catalogue, CatalogueError};
use racetrap::deadline::{DeadlineError, Deadlines};
use racetrap::matrix::DaemonKind;
use racetrap::process::{NotBuilt, companion};
use racetrap::run::{Outcome, RunError, RunOptions, Stop, run};
use racetrap::scenario_file::ScenarioFileError;
use racetrap::world::{EngineChoice, Pool};
use racetrap_history::{About, Scenario};

use crate::nextest::{NextestError, kill_of_this_test};

/// Root of the workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The reference daemon's program.
const DAEMON: &str = "rdd-reference";

/// An entry that is not judged as it must be, or could not be run at all.
///
/// `Debug` is `Display`, because that is what a test shows.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Unmet {
    /// A program that the tests run is not there.
    #[error("{0}")]
    Unbuilt(#[from] NotBuilt),
    /// The embedded catalogue is damaged.
    #[error("the catalogue cannot be used: {0}")]
    Catalogue(#[from] CatalogueError),
    /// The entry is no scenario.
    #[error("the entry cannot be used: {0}")]
    Entry(#[from] ScenarioFileError),
    /// The configuration of the test runner cannot be read.
    #[error("{0}")]
    Runner(#[from] NextestError),
    /// The test runner would kill the test before its evidence is written.
    #[error("{0}")]
    Deadlines(#[from] DeadlineError),
    /// No world could be made for it.
    #[error("{}", .0.told())]
    Run(#[from] RunError),
    /// It was judged otherwise.
    #[error("{0}")]
    Judged(String),
}

impl fmt::Debug for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs the catalogue entry in `entry` on one kind of reference daemon, in a world of its own, and
/// returns what came of it if it is judged as it must be. Evidence of other runs is put below
/// `evidence`; also that of a run that does not end within its deadline.
///
/// # Errors
/// An entry that is judged otherwise, with what was seen and the command that repeats it; programs
/// that are not built; a world that cannot be made.
pub async fn check(entry: &Path, daemon: DaemonKind, evidence: &Path) -> Result<Outcome, Unmet> {
    check_within(deadlines()?, entry, daemon, evidence).await
}

async fn check_within(
    deadlines: Deadlines,
    entry: &Path,
    daemon: DaemonKind,
    evidence: &Path,
) -> Result<Outcome, Unmet> {
    let scenario = Catalogue::embedded()?.read(entry)?;
    let about = scenario.about.clone().expect("a scenario that was read describes its finding");
    let options = RunOptions {
        daemon: companion(DAEMON)?,
        defects: daemon.defect(&about).map(str::to_owned).into_iter().collect(),
        evidence: evidence.to_owned(),
        keep: false,
        vm: None,
        engine: EngineChoice::default(),
        deadlines,
        again: again(&scenario, &about, daemon),
        stop: Stop::never(),
        pool: Pool::disabled(),
    };
    let schedule = match daemon {
        DaemonKind::Control => scenario.control(),
        DaemonKind::Correct | DaemonKind::Own | DaemonKind::Unrelated => scenario.clone(),
    };
    let outcome = run(&schedule, &options).await?;
    if daemon.accepts(&about, &outcome.judgement) {
        Ok(outcome)
    } else {
        Err(Unmet::Judged(judged(&options.again, &about, daemon, &outcome)))
    }
}

fn judged(again: &str, about: &About, daemon: DaemonKind, outcome: &Outcome) -> String {
    let expected = match daemon {
        DaemonKind::Correct | DaemonKind::Unrelated | DaemonKind::Control => "pass".to_owned(),
        DaemonKind::Own => format!("fail by {}", about.oracle),
    };
    let judgement = &outcome.judgement;
    let mut lines = vec![format!("expected {expected}, seen {}", judgement.verdict)];
    for violation in &judgement.violations {
        lines.push(format!("  {}: {}", violation.oracle, violation.text));
    }
    lines.extend(judgement.unknowns.iter().map(|unknown| format!("  unknown: {unknown}")));
    if let Some(evidence) = &outcome.evidence {
        lines.push(format!("evidence: {}", evidence.display()));
    }
    lines.push(format!("again: {again}"));
    lines.join("\n")
}

/// The deadlines of a run, which end it before the test runner ends the test: nextest may, and says
/// when; cargo's own runner never does.
fn deadlines() -> Result<Deadlines, Unmet> {
    let deadlines = Deadlines::DEFAULT;
    match kill_of_this_test(Path::new(ROOT))? {
        Some(kill) => Ok(deadlines.before(kill)?),
        None => Ok(deadlines),
    }
}

/// The command that does the same as a person would.
fn again(scenario: &Scenario, about: &About, daemon: DaemonKind) -> String {
    let defect = daemon.defect(about).map(|defect| format!(" --defect {defect}"));
    let control = if daemon == DaemonKind::Control { " --control" } else { "" };
    format!("racetrap repro {}{}{control}", scenario.finding, defect.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Neither cargo's own test runner nor a step's deadline ends this run; its own deadline does, the
    /// test fails by itself, and what it shows leads to the evidence.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_without_an_end_fails_by_itself_and_leaves_its_evidence() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let entry = place.path().join("endless.yaml");
        let text =
            "finding: 295-I6\nsteps: [app: {running: true}, touch: {times: 4000000000}, settle]";
        std::fs::write(&entry, text).expect("a writable directory");
        let seconds = Duration::from_secs;
        let deadlines = Deadlines::new(seconds(9), seconds(10)).expect("in order");
        let evidence = place.path().join("evidence");
        let came = check_within(deadlines, &entry, DaemonKind::Correct, &evidence).await;
        let told = came.expect_err("it has no end").to_string();
        assert!(told.contains("the run did not end within its 10 s"), "{told}");
        assert!(told.ends_with("again: racetrap repro 295-I6"), "{told}");
        let left = told.lines().find_map(|line| line.strip_prefix("evidence: "));
        let left = Path::new(left.expect("it names the evidence"));
        for name in ["journal.jsonl", "timeline.txt", "verdict.json"] {
            assert!(left.join(name).is_file(), "{name}");
        }
    }
}
