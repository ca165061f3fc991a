//! One isolated daemon: its own home, its own engine, the wire between them, and their end.
//!
//! A world, from the ground up:
//! - `slot`: an instance number and a directory that no other world has;
//! - `layout`: the directory's content, and the environment of all processes, before any is
//!   started;
//! - `wsl`: a stand-in for `wsl.exe`, if the VM is a distribution of WSL;
//! - `foundation`: slot, directory and watcher, from the world's first file to its last;
//! - `parts`: engine, wire, user and daemon, started in order;
//! - `world`: all of that, as a run uses it, and its close;
//! - `client_wire`: a second wire, between clients and the daemon's API.
//!
//! Worlds that are used again:
//! - `logs`: what one run has added to the logs of its world;
//! - `reuse`: what a world remembers over its runs;
//! - `reset`: brings a world back to the state of a new one, and proves it;
//! - `pool`: worlds that wait for their next run.
//!
//! Worlds that nobody closed:
//! - `watcher`: the process that waits for the harness to end;
//! - `abandoned`: captures and sweeps a world whose harness has ended;
//! - `sweep`: ends and removes everything that is left of a world.

mod abandoned;
mod client_wire;
mod error;
mod foundation;
mod layout;
mod logs;
mod options;
mod parts;
mod pool;
mod reset;
mod reuse;
mod slot;
mod sweep;
mod watcher;
#[expect(clippy::module_inception, reason = "the world is what this module is about")]
mod world;
mod wsl;

pub(crate) use client_wire::ClientWireError;
pub use error::WorldError;
pub(crate) use options::WorldOptions;
pub use pool::{Closing, Pool};
pub(crate) use pool::{Key, Lease};
pub use slot::SlotError;
pub(crate) use slot::longest_socket_path;
pub use watcher::{WatchArgs, watch};
pub(crate) use world::World;

pub use crate::apt::AptError;
pub use crate::daemon::{ApiError, DaemonError};
pub use crate::docker_cli::{DockerCliError, EndpointError};
pub use crate::engine::{
    EngineChoice, EngineError, EngineKind, EngineVersion, ImageStore, InstallError, NoSuchEngine,
    NoSuchVersion, TruthError, UsersDockerError,
};
pub use crate::vm::{GuestVersion, NoSuchGuest, VmError};
pub use crate::wait::NotReached;
