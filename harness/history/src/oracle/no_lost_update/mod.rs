//! The daemon keeps what users wrote into its API.

mod deletion;
mod fields;
mod foreign;
mod oracle;
mod removals;

pub use self::oracle::no_lost_update;
