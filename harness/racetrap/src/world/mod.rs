//! One isolated daemon: its own home, its own engine, the wire between them, and their end.
//!
//! - `world`: start and close of everything, in a fixed order;
//! - `ground`: the directory and the instance number that a world has for itself;
//! - `environment`: what processes of a world are told;
//! - `child`: the only place that starts processes;
//! - `intent`: what is going to be made, on disk before it is made;
//! - `sweep`: what is done with all that when nobody closes the world;
//! - `wire_record`: the wire's own events in the words of the history;
//! - `watcher`: the process that waits for that case.

mod child;
mod environment;
mod ground;
mod intent;
mod sweep;
mod watcher;
mod wire_record;
#[expect(clippy::module_inception, reason = "the world is what this module is about")]
mod world;

pub(crate) use child::{Child, Spawn, run_to_end};
pub(crate) use environment::Environment;
pub use ground::GroundError;
pub(crate) use ground::longest_socket_path;
pub(crate) use intent::Intent;
pub use watcher::{WatchArgs, watch};
pub use world::WorldError;
pub(crate) use world::{Tasks, World, WorldFacts, WorldOptions};

pub use crate::daemon::{ApiError, DaemonError};
pub use crate::engine::{EngineError, TruthError};
pub use crate::wait::NotReached;
