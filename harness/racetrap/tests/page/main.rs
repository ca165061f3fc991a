//! The timeline page, the index and the trace, as a browser and a viewer see them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod browser;
mod histories;
mod index;
mod timeline;
mod trace;
