//! Whatever ends a run, its bundle is there, whole, and as its manifest says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::disallowed_methods, reason = "these tests are the command's users")]

mod checked;
mod deaths;
mod disk;
mod judge;
mod open;
#[path = "../world/place.rs"]
#[expect(dead_code, reason = "the tests of worlds use more of it")]
mod place;
mod table;
