//! `racetrap list`.

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::catalogue::Catalogue;
use crate::report::{self, Terminal};

/// Prints the catalogue.
pub(super) fn list(format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let catalogue = Catalogue::embedded()?;
    terminal.write(&match format {
        Format::Human => report::list(catalogue.entries(), catalogue.unshown(), terminal.paint()),
        Format::Json => report::list_json(catalogue.entries(), catalogue.unshown()),
    })?;
    Ok(Exit::Success)
}
