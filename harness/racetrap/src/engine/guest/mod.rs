//! An engine in a virtual machine: the dockerd of a Linux guest that is forked from a template.
//!
//! The harness starts three kinds of processes for it:
//! - QEMU, which runs the guest;
//! - `ssh` for the daemon, which forwards the guest's docker.sock to the engine's socket, as Lima
//!   does it;
//! - `ssh` for the harness, which forwards it over a second network that no fault cuts, so that the
//!   truth does not depend on what a fault does to the first.
//!
//! The guest's dockerd is the engine, and is ended and started by the guest's agent. In the history
//! it has the process ID that it has in its guest.
//!
//! - `engine`: the guest as the engine of a world, from its fork to its end;
//! - `machine`: starts QEMU, and gives a fork what it must have of its own;
//! - `forward`: starts an `ssh`;
//! - `faults`: what a scenario does to the guest, one fault per file;
//! - `lima`: a guest that Lima boots, which is the daemon's (VM mode `guest`) or the harness's (an engine
//!   `lima:…`), and `lima_faults`: what a scenario does to it;
//! - `own_lima`: the harness's Lima.

mod engine;
mod faults;
mod forward;
mod lima;
mod lima_faults;
mod machine;
mod own_lima;

pub(crate) use engine::Guest;
pub(crate) use lima::LimaGuest;
