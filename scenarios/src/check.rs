//! Runs one catalogue entry on one daemon, and checks that the verdict is the expected one.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use racetrap::catalogue::{Catalogue, CatalogueError};
use racetrap::deadline::{DeadlineError, Deadlines};
use racetrap::matrix::DaemonKind;
use racetrap::process::{NotBuilt, companion};
use racetrap::run::{EndAt, Outcome, RunError, RunOptions, Stop, run};
use racetrap::scenario_file::ScenarioFileError;
use racetrap::workloads::promised_events;
use racetrap::world::{EngineChoice, Pool};
use racetrap_history::{About, Judgement, Record, Scenario, Verdict, What};

use crate::nextest::{NextestError, kill_of_this_test};

/// The root directory of the workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The name of the reference daemon's program.
const DAEMON: &str = "rdd-reference";

/// The verdict on an entry is not the expected one, or the entry could not be run.
///
/// `Debug` prints the same as `Display`, because the test runner shows the `Debug` text of an
/// error.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A program that the tests run was not built.
    #[error("{0}")]
    NotBuilt(#[from] NotBuilt),
    /// The embedded catalogue is damaged.
    #[error("the catalogue cannot be used: {0}")]
    Catalogue(#[from] CatalogueError),
    /// The entry is not a valid scenario.
    #[error("the entry cannot be used: {0}")]
    Entry(#[from] ScenarioFileError),
    /// The configuration of the test runner cannot be read.
    #[error("{0}")]
    Runner(#[from] NextestError),
    /// The test runner would kill the test before its evidence is written.
    #[error("{0}")]
    Deadlines(#[from] DeadlineError),
    /// No world could be created for the entry.
    #[error("{}", .0.told())]
    Run(#[from] RunError),
    /// The verdict is not the expected one. The text has the verdict, the violations and the
    /// command that repeats the run.
    #[error("{0}")]
    WrongVerdict(String),
    /// The engine has not sent these events, although the workload is said to touch them.
    #[error("the engine has not sent: {0}")]
    NoEvent(String),
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs the catalogue entry in the file `entry` on one kind of reference daemon, in its own world,
/// and returns the outcome if the verdict is the expected one. Writes the evidence of every other
/// run below the directory `evidence`, also that of a run that does not end within its deadline.
///
/// # Errors Fails if the verdict is not the expected one, if a program was not built, if the entry,
/// the catalogue or nextest's configuration is invalid, or if no world can be created.
pub async fn check(
    entry: &Path,
    daemon: DaemonKind,
    evidence: &Path,
) -> Result<Outcome, CheckError> {
    check_within(deadlines()?, entry, daemon, evidence).await
}

async fn check_within(
    deadlines: Deadlines,
    entry: &Path,
    daemon: DaemonKind,
    evidence: &Path,
) -> Result<Outcome, CheckError> {
    let scenario = Catalogue::embedded()?.read(entry)?;
    let about = scenario.about.clone().expect("a scenario that was read describes its finding");
    let options = RunOptions {
        defects: daemon.defect(&about).map(str::to_owned).into_iter().collect(),
        cell: Some(daemon),
        ..options(deadlines, evidence, repeat_command(&scenario, &about, daemon))?
    };
    let schedule = match daemon {
        DaemonKind::Control => scenario.control(),
        DaemonKind::Correct | DaemonKind::Own | DaemonKind::Unrelated => scenario.clone(),
    };
    let outcome = run(&schedule, &options).await?;
    if daemon.accepts(&about, &outcome.judgement) {
        return Ok(outcome);
    }
    let expected = match daemon {
        DaemonKind::Correct | DaemonKind::Unrelated | DaemonKind::Control => "pass".to_owned(),
        DaemonKind::Own => format!("fail by {}", about.oracle),
    };
    Err(CheckError::WrongVerdict(report(&options.again, &expected, &outcome)))
}

/// Runs the workload in the file `workload` on the correct reference daemon, in its own world. It must
/// pass, and the engine must have sent each event that the table of `racetrap workloads` says the
/// workload touches. Writes the evidence of every other run below the directory `evidence`.
///
/// # Errors
/// Fails if the verdict is another one or an event is missing, if a program was not built, if the
/// file or nextest's configuration is invalid, or if no world can be created.
pub async fn check_workload(workload: &Path, evidence: &Path) -> Result<Outcome, CheckError> {
    let scenario = Catalogue::embedded()?.read(workload)?;
    let again = format!("racetrap repro {}", scenario.finding);
    let options = options(deadlines()?, evidence, again)?;
    let outcome = run(&scenario, &options).await?;
    let Judgement { verdict, .. } = &outcome.judgement;
    if *verdict != Verdict::Pass {
        return Err(CheckError::WrongVerdict(report(&options.again, "pass", &outcome)));
    }
    let sent = events(&outcome.history);
    let missing: Vec<_> = promised_events(&scenario).difference(&sent).cloned().collect();
    if missing.is_empty() { Ok(outcome) } else { Err(CheckError::NoEvent(missing.join(", "))) }
}

/// The events that the engine has sent, as `type action`. Some actions have details behind a colon.
fn events(history: &[Record]) -> BTreeSet<String> {
    let event = |record: &Record| {
        let What::Engine(event) = &record.what else { return None };
        let action = event.action.split(':').next().unwrap_or(&event.action);
        Some(format!("{} {action}", event.object))
    };
    history.iter().filter_map(event).collect()
}

/// The options of a run on the correct daemon.
fn options(deadlines: Deadlines, evidence: &Path, again: String) -> Result<RunOptions, CheckError> {
    Ok(RunOptions {
        daemon: companion(DAEMON)?,
        defects: Vec::new(),
        evidence: evidence.to_owned(),
        keep: false,
        vm: None,
        engine: EngineChoice::default(),
        deadlines,
        again,
        cell: None,
        stop: Stop::never(),
        end_at: EndAt::default(),
        pool: Pool::disabled(),
    })
}

/// The text of the error for an unexpected verdict.
fn report(again: &str, expected: &str, outcome: &Outcome) -> String {
    let judgement = &outcome.judgement;
    let mut lines = vec![format!("expected {expected}, seen {}", judgement.verdict)];
    for violation in &judgement.violations {
        lines.push(format!("  {}: {}", violation.oracle, violation.text));
    }
    lines.extend(judgement.unknowns.iter().map(|unknown| format!("  unknown: {}", unknown.text)));
    lines.extend(judgement.not_applicable.iter().map(|why| format!("  not applicable: {why}")));
    if let Some(evidence) = &outcome.evidence {
        lines.push(format!("evidence: {}", evidence.display()));
    }
    lines.push(format!("again: {again}"));
    lines.join("\n")
}

/// The deadlines of a run. They end the run before nextest kills the test; cargo's own runner never
/// kills a test.
fn deadlines() -> Result<Deadlines, CheckError> {
    let deadlines = Deadlines::DEFAULT;
    match kill_of_this_test(Path::new(ROOT))? {
        Some(kill) => Ok(deadlines.before(kill)?),
        None => Ok(deadlines),
    }
}

/// The command that repeats the run.
fn repeat_command(scenario: &Scenario, about: &About, daemon: DaemonKind) -> String {
    let defect = daemon.defect(about).map(|defect| format!(" --defect {defect}"));
    let control = if daemon == DaemonKind::Control { " --control" } else { "" };
    format!("racetrap repro {}{}{control}", scenario.finding, defect.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Runs an endless entry. Neither the test runner nor a step's deadline ends it, so the run's
    /// deadline must, and the error must name the evidence.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_endless_run_fails_at_its_deadline_and_leaves_its_evidence() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let entry = place.path().join("endless.yaml");
        let text =
            "finding: 295-I6\nsteps: [app: {running: true}, touch: {times: 4000000000}, settle]";
        std::fs::write(&entry, text).expect("a writable directory");
        let seconds = Duration::from_secs;
        let deadlines = Deadlines::new(seconds(9), seconds(10)).expect("in order");
        let evidence = place.path().join("evidence");
        let checked = check_within(deadlines, &entry, DaemonKind::Correct, &evidence).await;
        let text = checked.expect_err("the run is endless").to_string();
        assert!(text.contains("the run did not end within its 10 s"), "{text}");
        assert!(text.ends_with("again: racetrap repro 295-I6"), "{text}");
        let directory = text.lines().find_map(|line| line.strip_prefix("evidence: "));
        let directory = Path::new(directory.expect("the error names the evidence"));
        for name in ["journal.jsonl", "timeline.txt", "verdict.json"] {
            assert!(directory.join(name).is_file(), "{name}");
        }
    }
}
