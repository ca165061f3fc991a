//! The oracles, one in each file or folder. Each is a pure function from a history to a finding, and
//! all of them judge every run, whatever its scenario is about.
//!
//! Each file names the promises that it judges. Shared parts:
//! - `finding`: what an oracle returns, and the list of all oracles;
//! - `observed`: the API's objects that a record shows;
//! - `disruption`: what the wire and the engine did to the daemon;
//! - `message`: log lines without names and numbers;
//! - `promises`: the numbers of the promises that each oracle judges.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an oracle looks only at the records that its promise is about"
)]

mod bounded_work;
mod conditions;
mod convergence;
mod counts;
mod disruption;
mod docker_config;
mod finding;
mod hygiene;
mod identity;
mod liveness;
mod log_fidelity;
mod message;
mod no_lost_update;
mod observed;
mod promises;
mod quiet_logs;

#[cfg(test)]
mod tests;

pub use bounded_work::bounded_work;
pub use conditions::truthful_conditions;
pub use convergence::convergence;
pub use counts::counts;
pub use docker_config::docker_config_integrity;
pub use finding::{ALL, Finding, Oracle};
pub use hygiene::hygiene;
pub use identity::identity;
pub use liveness::liveness;
pub use log_fidelity::log_fidelity;
pub use no_lost_update::no_lost_update;
pub use promises::promises;
pub use quiet_logs::quiet_logs;
