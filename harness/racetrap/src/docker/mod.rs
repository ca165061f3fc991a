//! The user of the docker command in a world: a configuration, an engine, a registry, and the command.
//!
//! - `place`: where the configuration is; `content`: what is in it, without its secrets;
//! - `watch`: every change of it, in the history;
//! - `endpoint`: the user's own engine; `registry`: where the user logs in;
//! - `command`: the docker command itself; `state`, `disk`: accidents of the configuration.

mod command;
mod content;
mod disk;
mod endpoint;
mod place;
mod registry;
mod state;
mod strike;
mod user;
mod watch;

pub(crate) use command::Ended;
pub use endpoint::EndpointError;
pub(crate) use place::Place;
pub(crate) use strike::{Blow, Strike};
pub use user::DockerError;
pub(crate) use user::User;
