//! Each oracle is shown a history in which only its promise is broken, and a control history that
//! looks alike and is fine: so it can fail, and does not fail for looks. All oracles judge every one
//! of them, so that each is silent on the controls of all others.

mod bounded_work;
mod build;
mod conditions;
mod convergence;
mod counts;
mod docker_config;
mod hygiene;
mod identity;
mod liveness;
mod log_fidelity;
mod no_lost_update;
mod quiet_logs;
mod run;
mod stop;
