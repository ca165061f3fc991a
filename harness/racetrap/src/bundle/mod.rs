//! What a run leaves behind that did not pass: its evidence directory, completed by what its world
//! was like while everything still lived, and masked.
//!
//! - [`Manifest`]: what is there, what is missing and why, what was masked.

mod manifest;

pub use manifest::{Entry, FORMAT, MANIFEST, Manifest, Masked, State, Trigger};
