//! The command: what it understands, one subcommand a file, and its exit codes.
//!
//! - `command`: the command line as a whole, and the way from it to an exit code;
//! - `list`, `run`, `repro`, `matrix`, `report`, `judge`, `open`, `doctor`, `engine`: the subcommands;
//! - `options`: what several of them take; `targets`: ids, globs and files as scenarios;
//! - `index`: the page that leads to all runs of a command;
//! - `reports`: what other programs read of a command, beside the terminal;
//! - `daemon`: which program is run, and what it says of itself; `ask`: how programs are asked;
//! - `stop`: requests to stop; `again`: the one line that repeats a run;
//! - `format`: text for people, or JSON;
//! - `checks`: what this machine has and lacks;
//! - `exit`: the published exit codes.

mod again;
mod ask;
mod checks;
mod command;
mod daemon;
mod doctor;
mod engine;
mod exit;
mod format;
mod index;
mod judge;
mod list;
mod matrix;
mod open;
mod options;
mod report;
mod reports;
mod repro;
mod run;
mod stop;
mod targets;
mod worlds;

pub use command::main;
pub use exit::Exit;
