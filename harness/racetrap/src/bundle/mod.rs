//! What a run leaves behind that did not pass: its evidence directory, completed by what its world
//! was like while everything still lived, and masked.
//!
//! - `capture`: collects, side by side and within a deadline, and shows all of it at once;
//! - `patient`: whose world is looked at; `sources`: what is looked for, one file each;
//! - `collect`: what becomes of a collector; `shelf`: where it puts what it finds;
//! - `seal`: completes the bundle at the end of the run; `archive`: packs it;
//! - [`Manifest`]: what is there, what is missing and why, what was masked;
//! - `opened`: a bundle that somebody hands in, and that nobody vouches for; `unpack`: an archive of one;
//! - `limits`: how long and how large anything of a bundle may be.

mod archive;
#[cfg(test)]
mod canaries;
mod capture;
mod collect;
mod limits;
mod manifest;
mod opened;
mod patient;
mod seal;
mod shelf;
mod sources;
mod unpack;

pub(crate) use capture::{capture, claim};
pub(crate) use collect::{on_thread, panicked};
pub(crate) use manifest::Cause;
pub use manifest::{Entry, FORMAT, MANIFEST, Manifest, State, Trigger};
pub(crate) use opened::{Opened, Refusal};
pub(crate) use patient::{Patient, past_wire};
pub(crate) use seal::{seal, seal_claimed};
