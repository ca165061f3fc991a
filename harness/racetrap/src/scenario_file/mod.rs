//! Reads a scenario from YAML, and says in which line a text is no scenario, and why.
//!
//! Three things are checked in this order: the text is YAML of the scenario language, the wire
//! knows every route that the schedule names, and the schedule can be carried out
//! ([`racetrap_history::Scenario::check`]). Each error shows the line and what was expected.
//!
//! - `file`: reads a file, up to a limit; `parse`: reads a text;
//! - `invalid`: the error for a text that is no scenario, with its line; `complaint`: the parser's
//!   errors in the words of the scenario language.

mod complaint;
mod file;
mod invalid;
mod parse;

#[cfg(test)]
mod tests;

pub(crate) use complaint::Complaint;
pub use file::{SIZE_MAX, ScenarioFileError};
pub(crate) use file::{ScenarioFile, SeveralBadFiles, read_text, to_yaml};
pub use invalid::Invalid;
pub use parse::parse;
pub(crate) use parse::{Kind, parse_as};
