//! What a person or a program reads of a run.
//!
//! - `terminal`: the only door to standard output, and colours;
//! - `list`, `run`, `matrix`, `doctor`: text for people, one file a command;
//! - `recorded`: a bundle that is judged by other oracles than those of its run;
//! - `opened`: where a bundle can be looked at;
//! - `summary`: the last lines of `run` and `matrix`;
//! - `case`: one run as other programs than ours are told of it; `junit` and `github`: how they are;
//! - `story`: a schedule in few words: what was held, and what was done meanwhile;
//! - `json`: the same for programs, as docs/formats.md describes it;
//! - `page`: the timeline of a run as one page for a browser;
//! - `index`: all runs of a command as a page;
//! - `trace`: the same for viewers of traces; `lanes` is what both are made of;
//! - `policy`: what a page may do in the browser;
//! - `progress`: a bar on standard error while worlds run.
//!
//! Everything but `terminal` and `progress` is a function from values to text.

mod case;
mod doctor;
mod github;
mod index;
mod json;
mod junit;
mod lanes;
mod list;
mod matrix;
mod opened;
mod page;
mod policy;
mod progress;
mod recorded;
mod run;
mod story;
mod summary;
mod terminal;
mod trace;

#[cfg(test)]
mod tests;

pub(crate) use case::Case;
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
pub use page::timeline_page;
pub(crate) use progress::Progress;
pub(crate) use recorded::{Recorded, judged};
pub(crate) use run::{RunReport, run, titles};
pub(crate) use summary::{index_line, matrix_summary, once_more, runs_summary};
pub(crate) use terminal::{NotWritten, Paint, Terminal, masked, tell};
pub use trace::trace;
