//! The support bundle of a run that did not pass: the evidence directory of the run, with files
//! that were captured from its world while the world still ran. Secrets are masked.
//!
//! Writing a bundle:
//! - `capture`: runs all collectors within a deadline and publishes their files in one step;
//! - `target`: the world that is captured; `sources`: the collectors, one file each;
//! - `collect`: runs one collector within its budget; `output`: masks and stores the files that it
//!   finds;
//! - `seal`: completes the bundle when the run is over; `archive`: packs it.
//!
//! Reading a bundle:
//! - `loaded`: the files of a bundle that a user hands in, so nothing in it is trusted;
//! - `limited_files`: rejects paths and sizes that no bundle has; `unpack`: reads an archive.
//!
//! Both:
//! - [`Manifest`]: which files are there, which are missing and why, and what was masked;
//! - `layout`: the paths of the files; `container_log`: the format of a container's log;
//! - `kubernetes`: rules of the Kubernetes API that collectors and bundle server share;
//! - `limits`: the longest durations and the largest sizes.

mod archive;
#[cfg(test)]
mod canary_tests;
mod capture;
mod collect;
pub(crate) mod container_log;
pub(crate) mod kubernetes;
pub(crate) mod layout;
mod limited_files;
mod limits;
mod loaded;
mod manifest;
mod output;
mod seal;
mod sources;
mod target;
mod unpack;

pub(crate) use archive::archive_of;
pub(crate) use capture::{capture, claim};
pub(crate) use collect::{on_thread, panicked};
pub(crate) use limited_files::InvalidBundle;
pub(crate) use loaded::LoadedBundle;
pub(crate) use manifest::Cause;
pub use manifest::{Entry, FORMAT, MANIFEST, Manifest, State, Trigger};
pub(crate) use seal::{seal, seal_claimed};
pub(crate) use target::{CaptureTarget, past_wire};
