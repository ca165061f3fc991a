//! Searches for failures that no finding describes: runs what `racetrap-search` plans.
//!
//! - `learning`: runs workloads without faults, and learns from their histories;
//! - `exploring`: runs plans until the time is over, and counts failures by their signature;
//! - `shrinking`: repeats a failure, and makes its schedule as short as it can be;
//! - `replay`: a failure as a scenario file that a person can read and `repro` can run; `token`: the same
//!   in one line;
//! - `state`: what searches have done; `state_file`: the file that keeps it from one search to the next;
//! - `past`: what earlier searches say of the plans of the next one; `tally`: a state in numbers.

mod exploring;
mod learning;
mod past;
mod replay;
mod shrinking;
mod state;
mod state_file;
mod tally;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use exploring::{Enough, Explored, Failure, Limits, Seen, explore};
pub(crate) use learning::{Lesson, learn_workload};
pub(crate) use past::Past;
pub(crate) use replay::{Replay, write_replay};
pub(crate) use shrinking::{Shrunk, shrink};
pub(crate) use state::{
    Began, Ended, Entry, KnownNote, Met, Planned, Ran, Shortened, State, Subject,
};
pub(crate) use state_file::{STATE, StateError, StateWriter};
pub(crate) use tally::{FailureTally, Progressed, Tally};
#[cfg(test)]
pub(crate) use token::to_token;
pub(crate) use token::{TokenError, from_token, is_token};
