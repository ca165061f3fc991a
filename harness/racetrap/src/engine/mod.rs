//! The engine of a world: a real Docker daemon. Requests to it go to its own socket, past the wire,
//! where no fault touches them.
//!
//! - `choice`: which engine a world runs, as one word of the command line;
//! - `install`: engines of other versions in the user's cache;
//! - `running`: the engine of a world, which is either
//!   `dockerd`, a process in namespaces of its own, `dind`, a container on `users_docker`, or
//!   `guest`, a dockerd in a virtual machine;
//! - `config`: its files and arguments; `ready`: waits until it is ready;
//! - `client`: connects to an engine;
//! - `truth`: what an engine holds, and what it says about itself;
//! - `workload`: what a user does to it, with `workload_images` and `container_body`;
//!   `remove_everything`: removes everything that it holds;
//! - `error`: why an engine could not be started, checked or ended.

mod choice;
mod client;
mod config;
mod container_body;
mod dind;
mod dockerd;
mod error;
mod guest;
mod install;
mod ready;
mod remove_everything;
mod running;
mod truth;
mod users_docker;
mod workload;
mod workload_images;

pub(crate) use choice::NO_WSL;
pub use choice::{
    EngineChoice, EngineKind, EngineVersion, ImageStore, NoSuchEngine, NoSuchVersion,
};
pub(crate) use client::found;
pub(crate) use config::EngineConfig;
pub use error::EngineError;
pub use install::InstallError;
pub(crate) use install::{EngineManifest, Engines};
pub(crate) use remove_everything::remove_everything;
pub(crate) use running::Engine;
pub(crate) use truth::Truth;
pub use truth::TruthError;
pub use users_docker::UsersDockerError;
pub(crate) use users_docker::remove_containers;
pub(crate) use workload::{Workload, WorkloadError};
