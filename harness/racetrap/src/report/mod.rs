//! What a person or a program reads of a run.
//!
//! - `terminal`: the only door to standard output, and colours;
//! - `list`, `run`, `matrix`, `doctor`: text for people, one file a command;
//! - `summary`: the last line of `run` and `matrix`;
//! - `story`: a schedule in few words: what was held, and what was done meanwhile;
//! - `json`: the same for programs, as docs/formats.md describes it;
//! - `progress`: a bar on standard error while worlds run.
//!
//! Everything but `terminal` and `progress` is a function from values to text.

mod doctor;
mod json;
mod list;
mod matrix;
mod progress;
mod run;
mod story;
mod summary;
mod terminal;

#[cfg(test)]
mod tests;

pub(crate) use doctor::doctor;
pub(crate) use json::{DaemonFacts, doctor_json, list_json, matrix_json, repro_json, runs_json};
pub(crate) use list::list;
pub(crate) use matrix::matrix;
pub(crate) use progress::Progress;
pub(crate) use run::{RunReport, run};
pub(crate) use summary::{matrix_summary, runs_summary};
pub(crate) use terminal::{NotWritten, Paint, Terminal, tell};
