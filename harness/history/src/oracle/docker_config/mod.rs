//! The docker command's configuration is whole at every instant, and stays the user's (contract 5).

mod choice;
mod facts;
mod oracle;
mod ours;
mod told;
mod writes;

pub use self::oracle::docker_config_integrity;
