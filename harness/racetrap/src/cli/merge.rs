//! `racetrap merge`.

use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic as _, miette};

use super::exit::{Exit, Failure};
use super::format::Format;
use super::index::write_search_page;
use super::options::KnownArgs;
use super::search_log::path_below;
use crate::report::{self, Terminal};
use crate::search::{STATE, State};

/// Arguments of `merge`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// States of searches: files, or directories with a file search.jsonl
    #[arg(required = true, value_name = "FILE")]
    states: Vec<PathBuf>,
    /// Where the merged state is written, and beside it its page
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    known: KnownArgs,
}

/// Merges the states of searches, such as those of shards, and writes one page of all.
pub(super) fn merge(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let known = args.known.read_for_searches()?;
    let output = std::path::absolute(&args.output).into_diagnostic().map_err(Failure::usage)?;
    let Some(place) = output.parent().filter(|_| !output.is_dir()) else {
        let path = output.display();
        return Err(Failure::usage(miette!("{path} is a directory, and --output needs a file")));
    };
    let mut merged = State::default();
    for path in &args.states {
        let path = if path.is_dir() { path.join(STATE) } else { path.clone() };
        let mut state = State::read(&path)?;
        let path = std::path::absolute(path).into_diagnostic().map_err(Failure::usage)?;
        let from = path.parent().unwrap_or(Path::new("/"));
        for session in &mut state.sessions {
            session.move_paths(|moved| path_below(place, &from.join(moved)));
        }
        merged.merge(state);
    }
    merged.write(&output)?;
    let listed = args.known.known.is_some().then_some(&known);
    let page = write_search_page(&output, &merged, listed)?;
    terminal.write(&match format {
        Format::Human => {
            let paths = format!("state {}\npage {}\n", output.display(), page.display());
            report::merged(&merged, terminal.paint()) + &paths
        }
        Format::Json => report::merged_json(&merged, &output, &page),
    })?;
    Ok(Exit::Success)
}
