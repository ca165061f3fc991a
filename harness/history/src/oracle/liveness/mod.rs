//! What was asked for is reached within the deadline, and the daemon lives.

mod oracle;
mod wishes;

pub use self::oracle::liveness;
