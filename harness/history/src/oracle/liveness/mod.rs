//! The daemon keeps running, and reaches what it was asked for within the deadline.

mod oracle;
mod requests;

pub use self::oracle::liveness;
