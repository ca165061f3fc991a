//! One isolated daemon: its own home, its own engine, the wire between them, and their end.
//!
//! - `world`: start and close of everything, in a fixed order;
//! - `ground`: the directory and the instance number that a world has for itself;
//! - `aftermath`: what is done for a world whose harness has ended without closing it;
//! - `layout`: what is in its directory before anything of it is started;
//! - `logs`: the logs of a world, as far as they belong to one run;
//! - `reset`: what makes a world that was used like a new one, and the proof of it;
//! - `pool`: worlds that wait for their next run;
//! - `sweep`: what is done with all that when nobody closes the world;
//! - `watcher`: the process that waits for that case.

mod aftermath;
mod client_wire;
mod ground;
mod layout;
mod logs;
mod pool;
mod reset;
mod sweep;
mod watcher;
#[expect(clippy::module_inception, reason = "the world is what this module is about")]
mod world;

pub(crate) use client_wire::ClientWireError;
pub use ground::GroundError;
pub(crate) use ground::longest_socket_path;
pub use pool::{Closing, Pool};
pub(crate) use pool::{Key, Seat};
pub use watcher::{WatchArgs, watch};
pub use world::WorldError;
pub(crate) use world::{World, WorldOptions};

pub use crate::daemon::{ApiError, DaemonError};
pub use crate::docker_cli::{DockerCliError, EndpointError};
pub use crate::engine::{
    AptError, EngineChoice, EngineError, EngineKind, EngineVersion, ImageStore, InstallError,
    NoSuchEngine, NoSuchVersion, TruthError, UsersDockerError,
};
pub use crate::wait::NotReached;
