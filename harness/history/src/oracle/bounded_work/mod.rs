//! What the daemon does is bounded by what it was given to do; idle time costs nothing.

mod idle;
mod oracle;
mod reconnects;
mod requests;
mod writes;

pub use self::oracle::bounded_work;
