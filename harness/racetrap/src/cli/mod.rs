//! The command: what it understands, one subcommand a file, and its exit codes.
//!
//! - `command`: the command line as a whole, and the way from it to an exit code;
//! - `list`, `run`, `repro`, `matrix`, `doctor`: the subcommands;
//! - `options`: what several of them take; `targets`: ids, globs and files as scenarios;
//! - `daemon`: which program is run, and what it says of itself;
//! - `checks`: what this machine has and lacks;
//! - `exit`: the published exit codes.

mod checks;
mod command;
mod daemon;
mod doctor;
mod exit;
mod list;
mod matrix;
mod options;
mod repro;
mod run;
mod targets;

pub(crate) use checks::{Check, State};
pub use command::main;
pub use exit::Exit;
