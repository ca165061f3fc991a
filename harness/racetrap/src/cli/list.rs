//! `racetrap list`.

use super::exit::{Exit, Failure};
use super::format::Format;
use super::targets::targets;
use crate::catalogue::Catalogue;
use crate::report::{self, Terminal};

/// Arguments of `list`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Ids, globs or files; each is shown with its schedule in words
    #[arg(value_name = "ID|FILE")]
    targets: Vec<String>,
}

/// Prints the catalogue, or everything that is known of some findings.
pub(super) fn list(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let catalogue = Catalogue::embedded()?;
    if args.targets.is_empty() {
        terminal.write(&match format {
            Format::Human => {
                report::list(catalogue.entries(), catalogue.unshown(), terminal.paint())
            }
            Format::Json => report::list_json(catalogue.entries(), catalogue.unshown()),
        })?;
        return Ok(Exit::Success);
    }
    let targets = targets(&args.targets)?;
    let scenarios = targets.iter().map(|target| &target.scenario);
    terminal.write(&match format {
        Format::Human => {
            scenarios.map(|scenario| report::finding(scenario, terminal.paint())).collect()
        }
        Format::Json => report::list_json(scenarios, std::iter::empty()),
    })?;
    Ok(Exit::Success)
}
