//! A history as text for people.
//!
//! - `entry`: the entries of a timeline;
//! - `what`: each kind of record as a line;
//! - `step`: a step as a line;
//! - `logs`: records about clients of the log passthrough.

mod entry;
mod logs;
mod step;
mod what;

pub use self::entry::{Entry, entries, lines};
pub use self::step::step_line;
