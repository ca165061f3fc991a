//! However a run ends, it leaves a complete bundle that matches its manifest.

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
