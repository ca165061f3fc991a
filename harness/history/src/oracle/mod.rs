//! The oracles, one in each file or folder. Each is a pure function from a history to a finding, and
//! all of them judge every run, whatever its scenario is about.
//!
//! Each file names the promises that it judges. Shared parts:
//! - `finding`: what an oracle returns, and the list of all oracles;
//! - `observed`: the API's objects that a record shows;
//! - `users`: what users deleted, and what they wrote by `ctl`;
//! - `disruption`: what the wire and the engine did to the daemon;
//! - `message`: log lines without names and numbers;
//! - `revision`: whether the daemon is new enough for the contract's newest forms;
//! - `promises`: the numbers of the promises that each oracle judges;
//! - `not_judged`: the promises that no oracle judges, each with the reason.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an oracle looks only at the records that its promise is about"
)]

mod bounded_work;
mod clean_runs;
mod command_line;
mod conditions;
mod convergence;
mod counts;
mod disruption;
mod docker_config;
mod engine_requests;
mod finding;
mod healing;
mod hygiene;
mod identity;
mod kubeconfig;
mod liveness;
mod log_fidelity;
mod message;
mod no_lost_update;
mod not_judged;
mod object_form;
mod observed;
mod promises;
mod quiet_logs;
mod revision;
mod users;
mod vm_lifecycle;

#[cfg(test)]
mod tests;

pub use bounded_work::bounded_work;
pub use clean_runs::clean_runs;
pub use command_line::command_line;
pub use conditions::truthful_conditions;
pub use convergence::convergence;
pub use counts::counts;
pub use docker_config::docker_config_integrity;
pub use engine_requests::engine_requests;
pub use finding::{ALL, Finding, Judge, Oracle};
pub use healing::healing;
pub use hygiene::hygiene;
pub use identity::identity;
pub use kubeconfig::kubeconfig_integrity;
pub use liveness::liveness;
pub use log_fidelity::log_fidelity;
pub use no_lost_update::no_lost_update;
pub use not_judged::{NotJudged, not_judged};
pub use object_form::object_form;
pub use promises::promises;
pub use quiet_logs::quiet_logs;
pub use vm_lifecycle::vm_lifecycle;
