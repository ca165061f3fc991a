//! The timeline page and the index in a real browser, and the trace by the rules of its viewers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod browser;
mod histories;
mod index;
mod layout;
mod places;
mod search;
mod timeline;
mod trace;
mod words;
