//! Output for GitHub workflows.
//!
//! - `annotations`: lines on the page of the workflow's run, for the first runs that are not right;
//! - `summary`: the complete result as the job's summary;
//! - `trend`: what has changed since the job ran last.

mod annotations;
mod summary;
mod trend;

#[cfg(test)]
mod tests;

pub(crate) use annotations::annotations;
pub(crate) use summary::{BYTES_MAX, summary};
pub(crate) use trend::{TrendEntry, trend, trend_entries, trend_text};
