//! What a user wrote into the daemon's API stays there.

mod deletion;
mod fields;
mod foreign;
mod oracle;
mod removals;

pub use self::oracle::no_lost_update;
