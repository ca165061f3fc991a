//! What must hold for a schedule to make sense, whatever daemon it is run on.
//!
//! - `check`: all of the checks, in order;
//! - `error`: what is wrong with a schedule, and at which step;
//! - `gates`: the order of gates;
//! - `names`: what is used was made before;
//! - `workload`: what users ask of the engine means something;
//! - `faults`: what is broken is mended before anything is judged;
//! - `guest`: what can be done to the guest that runs the engine;
//! - `docker`: the world has what is done to the docker command's configuration;
//! - `kubernetes`: the guest has the Kubernetes that is disturbed;
//! - `wsl`: the VM is a distribution of WSL whose program is scripted;
//! - `commands`: what goes on in the background is awaited;
//! - `logs`: clients of the log passthrough come before they go.

mod check;
mod commands;
mod docker;
mod error;
mod faults;
mod gates;
mod guest;
mod kubernetes;
mod logs;
mod names;
mod workload;
mod wsl;

pub use self::error::ScheduleError;
