//! What a person or a program reads of a run.
//!
//! - `terminal`: the only door to standard output, and colours;
//! - `check`: one thing that `doctor` looked for;
//! - `list`, `run`, `matrix`, `doctor`: text for people, one file a command;
//! - `recorded`: a bundle that is judged by other oracles than those of its run;
//! - `opened`: where a bundle can be looked at;
//! - `summary`: the last lines of `run` and `matrix`;
//! - `case`: one run as other programs than ours are told of it; `junit` and `github`: how they are;
//! - `json`: the same for programs, as docs/formats.md describes it;
//! - `index`: all runs of a command as a page;
//! - `progress`: a bar on standard error while worlds run.
//!
//! Everything but `terminal` and `progress` is a function from values to text.

mod case;
mod check;
mod doctor;
mod github;
mod index;
mod json;
mod junit;
mod list;
mod matrix;
mod opened;
mod progress;
mod recorded;
mod run;
mod summary;
mod terminal;

#[cfg(test)]
mod tests;

pub(crate) use case::Case;
pub(crate) use check::{Check, CheckState};
pub(crate) use doctor::doctor;
pub(crate) use github::{BYTES_MAX as SUMMARY_BYTES_MAX, annotations, summary as job_summary};
pub(crate) use index::{index, is_index};
pub(crate) use json::{
    DaemonFacts, doctor_json, judged_json, list_json, matrix_json, opened_json, rebuilt_json,
    repro_json, runs_json,
};
pub(crate) use junit::junit;
pub(crate) use list::list;
pub(crate) use matrix::matrix;
pub(crate) use opened::opened;
pub(crate) use progress::Progress;
pub(crate) use recorded::{Recorded, judged};
pub(crate) use run::{RunReport, run, titles};
pub(crate) use summary::{index_line, matrix_summary, once_more, runs_summary};
pub(crate) use terminal::{NotWritten, Paint, Terminal, masked, tell};
