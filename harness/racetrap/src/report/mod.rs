//! The reports: text for people, and formats for programs.
//!
//! - `terminal`: the only place that writes to standard output; colours;
//! - `check`: one check of `doctor`;
//! - `list`, `promises`, `workloads`, `run`, `matrix`, `survey`, `lanes`, `search`, `doctor`: text for people, one
//!   file per command;
//! - `recorded`: compares a new judgement of a bundle with the recorded one;
//! - `opened`: the commands with which an open bundle can be read;
//! - `summary`: the last lines of `run` and `matrix`;
//! - `case`: one run for the formats of other programs: `junit`, `github` and `index`, a page of
//!   all runs;
//! - `known`: what is known to fail, and runs in which nothing was shown;
//! - `json`: the output of `--format json`, as docs/formats.md describes it;
//! - `clean`: how much evidence there is, and what was removed;
//! - `search_json`: a search for programs; `search_page` (and `search_curve`): all
//!   searches of a state as a page;
//! - `progress`, `search_progress`: a bar or lines on standard error while runs go on.
//!
//! Everything except `terminal` and the two of progress is a function from values to text.

mod case;
mod check;
mod clean;
mod doctor;
mod github;
mod index;
mod json;
mod junit;
mod known;
mod list;
mod matrix;
mod opened;
mod progress;
mod promises;
mod recorded;
mod run;
mod search;
mod search_curve;
mod search_json;
mod search_page;
mod search_progress;
mod summary;
mod survey;
mod terminal;
mod workloads;

#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;

pub(crate) use case::{Case, State};
pub(crate) use check::{Check, CheckState};
pub(crate) use clean::{Cleaned, cleaned, cleaned_json, evidence_line};
pub(crate) use doctor::doctor;
pub(crate) use github::{
    BYTES_MAX as SUMMARY_BYTES_MAX, TrendEntry, annotations, summary as job_summary, trend,
    trend_entries, trend_text,
};
pub(crate) use index::{Head, command_of_index, index, is_index};
pub(crate) use json::{
    DaemonFacts, doctor_json, judged_json, lanes_json, list_json, matrix_json, opened_json,
    promises_json, rebuilt_json, repro_json, runs_json, survey_json, workloads_json,
};
pub(crate) use junit::junit;
pub(crate) use known::{nothing_shown, repairs};
pub(crate) use list::{finding, list};
pub(crate) use matrix::{daemon_of, matrix, word};
pub(crate) use opened::opened;
pub(crate) use progress::Progress;
pub(crate) use promises::promises;
pub(crate) use recorded::{Recorded, judged};
pub(crate) use run::{RunReport, run, same_cause, titles};
pub(crate) use search::{
    Found, SearchReport, lesson_line, lessons, merged, plans_line, search, unlearned_line,
};
pub(crate) use search_json::{lessons_json, merged_json, search_json};
pub(crate) use search_page::search_page;
pub(crate) use search_progress::{Pairs, SearchProgress};
pub(crate) use summary::{index_line, matrix_summary, once_more, runs_summary};
pub(crate) use survey::{Compared, lanes, survey};
pub(crate) use terminal::{Color, NotWritten, Paint, Terminal, masked, message_width, tell};
pub(crate) use workloads::workloads;
