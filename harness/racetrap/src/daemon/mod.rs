//! The daemon under test, driven only through its own command line and API.
//!
//! Nothing in here knows which program the daemon is. What a revision can do is found out by asking
//! it (contract 9).
//!
//! - `adapter`: the daemon of one world; `probe`: finds out what it can do; `commands`: runs its
//!   commands;
//! - `start`, `stop`, `freeze`: the life of its process; `controllers`: its stand-alone
//!   controllers;
//! - `prepared`: the database of its first start, for later worlds;
//! - `vm`: the modes of its VM; `lima`: the harness's stand-in for a VM;
//! - `vm_watch`: records the processes of its VMs; `wsl_watch`: the calls of a stand-in for `wsl.exe`;
//! - `vm_processes`, `ssh_keys`: what a scenario does to its VMs and to the keys of their user;
//! - `api`: requests to its API; `observe`: lists and watches; `client_writes`: what a client
//!   writes;
//! - `admission`: the harness's webhook, which holds and denies writes;
//! - `kubeconfig`, `log`: files that the daemon writes;
//! - `error`: why the daemon could not be driven.

mod adapter;
mod admission;
mod api;
pub(crate) mod client_writes;
mod commands;
mod controllers;
mod error;
mod freeze;
mod kubeconfig;
mod lima;
mod log;
mod observe;
mod prepared;
mod probe;
mod ssh_keys;
mod start;
mod stop;
mod vm;
mod vm_processes;
mod vm_watch;
mod wsl_watch;

pub(crate) use adapter::Daemon;
pub(crate) use admission::{
    Admission, AdmissionError, DenyGuard, HoldEachWrite, StoppedWrite, WriteGate,
};
pub use api::ApiError;
pub(crate) use api::{Api, Resource};
pub use error::DaemonError;
pub(crate) use kubeconfig::{ApiServer, KubeconfigError, parse_address};
pub(crate) use prepared::Prepared;
pub(crate) use vm_processes::Vms;
