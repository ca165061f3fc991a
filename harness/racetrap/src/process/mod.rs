//! Processes: the only part of the harness that starts any.
//!
//! - `child`: starts the processes of a world, waits for their end, and records both;
//! - `ask`: runs programs outside any world, for their output alone;
//! - `environment`: the variables that a process of a world gets, built from nothing;
//! - `program`: finds programs on PATH; `companion`: finds the programs of this workspace;
//! - `called`: how the user called this program;
//! - `lifetime`: records the start and the end of a process;
//! - `log_tail`: the last lines of a log, for the text of an error;
//! - `tasks`: the tasks of a world, and how they are joined.

mod ask;
mod called;
mod child;
mod companion;
mod environment;
mod lifetime;
mod log_tail;
mod program;
mod tasks;

pub(crate) use ask::{OutsideRun, ask, first_line};
pub(crate) use called::{called, command_line, quoted};
pub(crate) use child::{
    Child, CommandHandle, CommandResult, Spawn, run_to_end, run_with_input, start_command,
};
pub use companion::{NotBuilt, companion};
pub(crate) use environment::{Environment, MARKER};
pub(crate) use lifetime::Lifetime;
pub(crate) use log_tail::log_tail;
pub(crate) use program::find_program;
pub(crate) use tasks::{Tasks, join_all, propagate_panic};
