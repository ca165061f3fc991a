//! Where real Docker comes from, the truth that it tells, and what a user does to it.
//!
//! Everything here speaks to the engine's own socket, past the wire: no fault touches it.

mod dockerd;
mod truth;
mod workload;

pub use dockerd::EngineError;
pub(crate) use dockerd::{Dockerd, Site, find_program};
pub(crate) use truth::Truth;
pub use truth::TruthError;
pub(crate) use workload::{Workload, WorkloadError};
