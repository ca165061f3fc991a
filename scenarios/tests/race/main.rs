//! Runs every entry of the catalogue on three daemons and as a control run, and every workload on the
//! correct daemon, each in its own world.

use std::path::{Path, PathBuf};

use racetrap_history::canon;
use racetrap_scenarios::{CheckError, DaemonKind, check, check_workload};
use rstest::rstest;

/// The directory for the evidence of runs with an unexpected verdict.
fn evidence() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs the entry on the correct daemon. No oracle may find a violation, and the mirrored state at
/// each checkpoint must equal the reviewed snapshot: a scenario that no longer mirrors anything
/// would pass the oracles, but not the snapshot.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_correct_daemon_passes(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), CheckError> {
    let outcome = check(&entry, DaemonKind::Correct, evidence()).await?;
    let finding = entry.file_stem().and_then(|stem| stem.to_str()).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(finding, canon::mirrored_state(&outcome.history)));
    Ok(())
}

/// Runs the entry on a daemon with the entry's own defect. The oracle that the entry names must
/// find it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn its_own_defect_is_caught_by_the_oracle_that_it_names(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), CheckError> {
    check(&entry, DaemonKind::Own, evidence()).await.map(drop)
}

/// Runs the entry on a daemon with an unrelated defect. A scenario that fails here does not test
/// its own finding.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_unrelated_defect_does_not_disturb_it(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), CheckError> {
    check(&entry, DaemonKind::Unrelated, evidence()).await.map(drop)
}

/// Runs the entry's workload without gates and faults. Every violation would be a false alarm.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_control_run_raises_no_alarm(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), CheckError> {
    check(&entry, DaemonKind::Control, evidence()).await.map(drop)
}

/// Runs the workload on the correct daemon. A search disturbs workloads, so that one which fails by
/// itself would make every plan fail; and a table says which events each touches.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workload_passes_on_the_correct_daemon(
    #[files("workloads/*.yaml")] workload: PathBuf,
) -> Result<(), CheckError> {
    check_workload(&workload, evidence()).await.map(drop)
}
