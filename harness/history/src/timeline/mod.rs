//! A history as text that a person reads from top to bottom.
//!
//! - `entry`: the entries of a history;
//! - `what`: each kind of record as a line;
//! - `step`: a step as a line;
//! - `logs`: what clients of the log passthrough did and saw.

mod entry;
mod logs;
mod step;
mod what;

pub use self::entry::{Entry, entries, lines};
pub use self::step::step_line;
