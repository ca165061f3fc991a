//! Where real Docker comes from, the truth that it tells, and what a user does to it.
//!
//! - `choice`: which engine a world runs, as one word;
//! - `install`: engines of other versions in the user's cache, and `apt`, which fetches them;
//! - `running`: the engine of a world, which is one of two:
//!   `dockerd`, a process in namespaces of its own, or `dind`, a container on `users_docker`;
//! - `site`: where it lives; `answer`: when it is ready;
//! - `truth`: what an engine holds, and what it says of itself;
//! - `workload`: what a user does to it; `empty`: the end of all that it holds.
//!
//! Everything here speaks to the engine's own socket, past the wire: no fault touches it.

mod answer;
mod apt;
mod choice;
mod dind;
mod dockerd;
mod empty;
mod error;
mod install;
mod running;
mod site;
mod truth;
mod users_docker;
mod workload;

pub use apt::AptError;
pub use choice::{
    EngineChoice, EngineKind, EngineVersion, ImageStore, NoSuchEngine, NoSuchVersion,
};
pub(crate) use empty::empty;
pub use error::EngineError;
pub use install::InstallError;
pub(crate) use install::{Engines, Manifest};
pub(crate) use running::Engine;
pub(crate) use site::Site;
pub(crate) use truth::Truth;
pub use truth::TruthError;
pub use users_docker::UsersDockerError;
pub(crate) use users_docker::remove_containers;
pub(crate) use workload::{NewContainer, Workload, WorkloadError};
