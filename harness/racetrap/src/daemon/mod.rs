//! The daemon under test, driven through its own command line and API alone.
//!
//! Nothing in here knows which program it is: what a revision can do is probed (contract 9).

mod adapter;
mod admission;
mod api;
mod controllers;
mod freeze;
mod kubeconfig;
mod lima;
mod log;
mod observe;
pub(crate) mod user;

pub(crate) use adapter::Daemon;
pub use adapter::DaemonError;
pub(crate) use admission::{Admission, AdmissionError, DenyGuard, WriteGate};
pub use api::ApiError;
pub(crate) use api::{Api, Resource};
pub(crate) use kubeconfig::{KubeconfigError, Server};
