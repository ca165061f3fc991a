//! Each test gives an oracle a history in which only its promise is broken, and a similar control history
//! that is correct. So the oracle can fail, and it fails for the right reason. All oracles judge every
//! history, so each must also report nothing about the control histories of all others.

mod bounded_work;
mod build;
mod command_line;
mod conditions;
mod convergence;
mod counts;
mod docker_config;
mod docker_files;
mod engine_requests;
mod healing;
mod hygiene;
mod identity;
mod kubernetes;
mod liveness;
mod log_fidelity;
mod no_lost_update;
mod object_form;
mod quiet_logs;
mod run;
mod settled;
mod stop;
mod users;
mod vm_lifecycle;
