//! `racetrap workloads`.

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::report::{self, Terminal};
use crate::workloads::{SurfaceCoverage, Workloads};

/// Arguments of `workloads`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the workloads, what they touch of the contract's surface, and what none of them touches.
pub(super) fn workloads(_: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let workloads = Workloads::embedded()?;
    let coverage = SurfaceCoverage::new(workloads.scenarios());
    terminal.write(&match format {
        Format::Human => report::workloads(&coverage, terminal.paint()),
        Format::Json => report::workloads_json(&coverage),
    })?;
    Ok(Exit::Success)
}
