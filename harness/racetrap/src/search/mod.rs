//! Searches for failures that no finding describes: runs what `racetrap-search` plans.
//!
//! - `learning`: runs workloads without faults, and learns from their histories;
//! - `exploring`: runs plans until the time is over, and counts failures by their signature;
//! - `shrinking`: repeats a failure, and makes its schedule as short as it can be;
//! - `replay`: a failure as a scenario file that a person can read and `repro` can run.

mod exploring;
mod learning;
mod replay;
mod shrinking;

pub(crate) use exploring::{Enough, Explored, Failure, Limits, Seen, explore};
pub(crate) use learning::{Lesson, learn_workload};
pub(crate) use replay::write_replay;
pub(crate) use shrinking::{Shrunk, shrink};
