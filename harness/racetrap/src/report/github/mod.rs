//! What GitHub shows of a command in a workflow.
//!
//! - `annotations`: lines on the page of the workflow's run, for the first runs that are not right;
//! - `summary`: the whole result as a page of the job.

mod annotations;
mod summary;

#[cfg(test)]
mod tests;

pub(crate) use annotations::annotations;
pub(crate) use summary::{BYTES_MAX, summary};
