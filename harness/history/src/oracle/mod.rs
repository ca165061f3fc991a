//! Promises that are judged, one a file. Each is a pure function of the history, and all of them
//! judge every run, whatever its scenario is about.
//!
//! Each file says where its promises come from. What they share: `finding`, what an oracle returns, and
//! the list of all oracles; `seen`, the API's objects in a
//! record; `excuse`, what the wire did to the daemon; `message`, log lines without their names.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an oracle looks only at the records that its promise is about"
)]

mod bounded_work;
mod conditions;
mod convergence;
mod counts;
mod docker_config;
mod excuse;
mod finding;
mod hygiene;
mod identity;
mod liveness;
mod log_fidelity;
mod message;
mod no_lost_update;
mod promises;
mod quiet_logs;
mod seen;

#[cfg(test)]
mod tests;

pub use bounded_work::bounded_work;
pub use conditions::truthful_conditions;
pub use convergence::convergence;
pub use counts::counts;
pub use docker_config::docker_config_integrity;
pub use finding::{ALL, Finding, Judge, Oracle};
pub use hygiene::hygiene;
pub use identity::identity;
pub use liveness::liveness;
pub use log_fidelity::log_fidelity;
pub use no_lost_update::no_lost_update;
pub use promises::promises;
pub use quiet_logs::quiet_logs;
