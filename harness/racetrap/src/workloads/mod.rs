//! Workloads: what users do to the daemon and its engine while nothing goes wrong. A search disturbs
//! them.
//!
//! - `embedded`: the workloads of `scenarios/workloads`;
//! - `item`: one thing that the contract offers to users; `surface`: all of them, with those that no
//!   workload can touch;
//! - `touched`: what a scenario touches; `engine_steps`: the same for users of the engine, with the
//!   events that follow; `daemon_command`, `kubectl`, `docker_command`: the same for a
//!   command line;
//! - `coverage`: the surface with the workloads that touch each item.

mod coverage;
mod daemon_command;
mod docker_command;
mod embedded;
mod engine_steps;
mod item;
mod kubectl;
mod surface;
mod touched;

pub use coverage::promised_events;
pub(crate) use coverage::{CoveredItem, SurfaceCoverage};
pub use embedded::{WorkloadError, Workloads, is_workload_id};
pub(crate) use item::Group;
