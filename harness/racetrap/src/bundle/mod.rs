//! What a run leaves behind that did not pass: its evidence directory, completed by what its world
//! was like while everything still lived, and masked.
//!
//! - [`Manifest`]: what is there, what is missing and why, what was masked;
//! - `mask`: takes secrets out of documents, texts and records.

mod manifest;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "collectors have documents"))]
pub(crate) mod mask;

pub use manifest::{Entry, FORMAT, MANIFEST, Manifest, Masked, State, Trigger};
