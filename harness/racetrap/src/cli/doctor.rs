//! `racetrap doctor`.

use super::checks;
use super::exit::{Exit, Failure};
use super::format::Format;
use super::options::DaemonArgs;
use crate::report::{self, CheckState, Terminal};

/// Arguments of `doctor`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonArgs,
}

/// Prints what this machine has and lacks, and how to get what it lacks.
pub(super) async fn doctor(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let checks = checks::all(&args.daemon).await;
    terminal.write(&match format {
        Format::Human => report::doctor(&checks, terminal.paint()),
        Format::Json => report::doctor_json(&checks),
    })?;
    let lacks = checks.iter().any(|check| check.state == CheckState::Missing);
    Ok(if lacks { Exit::Machine } else { Exit::Success })
}
