//! `racetrap promises`.

use globset::{Glob, GlobMatcher};
use miette::{Report, miette};
use racetrap_history::PromiseNumber;

use super::exit::{Exit, Failure};
use super::format::Format;
use crate::catalogue::Catalogue;
use crate::contract::{Contract, Coverage};
use crate::report::{self, Terminal};

/// Arguments of `promises`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Numbers such as `4.2.7`, sections such as `4.2`, or globs such as `4.*`; all by default
    #[arg(value_name = "NUMBER|GLOB")]
    numbers: Vec<String>,
}

/// Shows the promises of the contract, and what tests them.
pub(super) fn promises(args: &Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let contract = Contract::embedded()?;
    let catalogue = Catalogue::embedded()?;
    let patterns = patterns(&args.numbers, &contract)?;
    let chosen = |number: PromiseNumber| {
        patterns.is_empty() || patterns.iter().any(|pattern| covers(pattern, number))
    };
    let coverage = Coverage::new(&contract, catalogue.entries(), chosen);
    terminal.write(&match format {
        Format::Human => report::promises(&coverage, terminal.paint()),
        Format::Json => report::promises_json(&coverage),
    })?;
    Ok(Exit::Success)
}

/// The patterns that were given. Each must match a promise, so that a misspelt number is not taken for
/// one that nobody tests.
fn patterns(given: &[String], contract: &Contract) -> Result<Vec<GlobMatcher>, Failure> {
    let pattern = |text: &String| {
        let glob = Glob::new(text).map_err(|error| {
            let context = format!("`{text}` is not a number, a section or a pattern");
            Failure::usage(Report::from_err(error).wrap_err(context))
        })?;
        let matcher = glob.compile_matcher();
        if contract.promises().any(|(number, _)| covers(&matcher, number)) {
            return Ok(matcher);
        }
        Err(Failure::usage(miette!("the contract has no promise `{text}`")))
    };
    given.iter().map(pattern).collect()
}

/// A pattern that matches a section or a chapter covers all of its promises.
fn covers(pattern: &GlobMatcher, number: PromiseNumber) -> bool {
    [number.to_string(), number.section(), number.chapter()].iter().any(|it| pattern.is_match(it))
}
