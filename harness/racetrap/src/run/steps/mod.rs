//! The parts that do steps, one file for each part of the language. A part owns what it keeps from one
//! step to the next; what two parts need is given to the one that does the step.
//!
//! - `engine`: users of the engine, and the engine's process;
//! - `command`: the daemon's commands;
//! - `api`: users of the daemon's API;
//! - `daemon`: the daemon's process and its VM;
//! - `gates`: gates on the wires and at the daemon's admission; `serial`: messages one at a time;
//! - `faults`: faults on the wires and at the daemon's admission;
//! - `docker`: users of the docker command, and their configuration;
//! - `kubernetes`: the guest's Kubernetes;
//! - `logs`: clients of the daemon's log passthrough;
//! - `wait`: waits; `levels`: for one level; `settle`: until the world is quiet.

pub(super) mod api;
pub(super) mod daemon;
pub(super) mod engine;
pub(super) mod kubernetes;

mod command;
mod docker;
mod faults;
mod gates;
mod levels;
mod logs;
mod serial;
mod settle;
mod wait;

pub(super) use self::command::Commands;
pub(super) use self::docker::DockerUser;
pub(super) use self::faults::Faults;
pub(super) use self::gates::Gates;
pub(super) use self::logs::LogClients;
pub(super) use self::wait::Waits;
