//! Every entry of the catalogue on three daemons and without its fault, each in a world of its own.

use std::path::{Path, PathBuf};

use racetrap_history::canon;
use racetrap_scenarios::{DaemonKind, Unmet, check};
use rstest::rstest;

/// Where evidence of runs is put that are not judged as they must be.
fn evidence() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// All oracles find nothing, and the mirrored state at each checkpoint is the one that was reviewed:
/// a scenario that no longer mirrors anything would pass the oracles, but not the snapshot.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_correct_daemon_passes(#[files("catalogue/*.yaml")] entry: PathBuf) -> Result<(), Unmet> {
    let outcome = check(&entry, DaemonKind::Correct, evidence()).await?;
    let finding = entry.file_stem().and_then(|stem| stem.to_str()).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(finding, canon::mirrored_state(&outcome.history)));
    Ok(())
}

/// The reviewed bug is put back; the oracle that the entry names must find it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn its_own_defect_is_caught_by_the_oracle_that_it_names(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), Unmet> {
    check(&entry, DaemonKind::Own, evidence()).await.map(drop)
}

/// Another bug is put in; a scenario that failed here would not be about its finding.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_unrelated_defect_does_not_disturb_it(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), Unmet> {
    check(&entry, DaemonKind::Unrelated, evidence()).await.map(drop)
}

/// Nothing is held and nothing breaks: whatever an oracle finds then is a false alarm.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_its_fault_nobody_is_alarmed(
    #[files("catalogue/*.yaml")] entry: PathBuf,
) -> Result<(), Unmet> {
    check(&entry, DaemonKind::Control, evidence()).await.map(drop)
}
