//! Processes: the only place of the harness that starts any, and what they are given.
//!
//! - `child`: starts a process, waits for its end, and records both;
//! - `environment`: the variables that a process of a world gets, built from nothing;
//! - `program`: finds programs on PATH; `companion`: finds the programs of this workspace;
//! - `lifetime`: records the start and the end of a process;
//! - `log_tail`: the last lines of a log, for the text of an error;
//! - `tasks`: the tasks of a world, by how they end.

mod child;
mod companion;
mod environment;
mod lifetime;
mod log_tail;
mod program;
mod tasks;

pub(crate) use child::{Begun, Child, Ended, Spawn, begin, run_to_end, run_with_input};
pub use companion::{NotBuilt, companion};
pub(crate) use environment::{Environment, MARKER};
pub(crate) use lifetime::Lifetime;
pub(crate) use log_tail::log_tail;
pub(crate) use program::find_program;
pub(crate) use tasks::Tasks;
