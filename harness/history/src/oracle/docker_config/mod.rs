//! The docker command's configuration is valid at every instant, and keeps what the user put into it
//! (contract 5).

mod attributes;
mod current_context;
mod error_report;
mod oracle;
mod own_context;
mod state;
mod writes;

pub use self::oracle::docker_config_integrity;
