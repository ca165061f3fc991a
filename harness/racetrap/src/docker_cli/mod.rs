//! The user of the docker command in a world: its configuration, engine, registry, and the command
//! itself.
//!
//! - `user`: all of it together; `command`: runs the docker command;
//! - `layout`: where the files are, and the variables by which the processes of the world find
//!   them;
//! - `config_content`: reads the configuration without its secrets; `settings`: whether the docker command
//!   can load it; `config_watch`: records each change of it;
//! - `file_ops`, `disk`: what users and accidents do to the configuration's files and file system;
//! - `write_trap`: stops the daemon when it begins to write the configuration;
//! - `endpoint`: the user's engine; `registry`: where the user logs in, pushes and pulls, with
//!   `registry_store`, what it keeps; `listener`: accepts their
//!   connections.

mod command;
mod config_content;
mod config_watch;
mod disk;
mod endpoint;
mod file_ops;
mod layout;
mod listener;
mod registry;
mod registry_store;
mod settings;
mod user;
mod write_trap;

pub(crate) use command::CommandFailure;
pub use endpoint::EndpointError;
pub(crate) use layout::CliLayout;
pub(crate) use registry::Registry;
pub(crate) use user::CliUser;
pub use user::DockerCliError;
pub(crate) use write_trap::{TrapAction, WriteTrap};
