//! The history on disk: one JSON object in each line. A journal can be read even if it was cut off.
//!
//! - `file`: writes and reads journals;
//! - `upgrade`: converts records of earlier formats.

mod file;
mod upgrade;

pub use self::file::{FORMAT, Journal, JournalError, append, read};
