//! The history on disk: one JSON object a line, written whole, readable when cut off anywhere.
//!
//! - `file`: writing and reading;
//! - `upgrade`: what records of earlier formats are in today's.

mod file;
mod upgrade;

pub use self::file::{FORMAT, Journal, JournalError, append, read};
