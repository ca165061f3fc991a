//! Worlds from outside: what they refuse, and that nothing is left of them, however they end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod ends;
mod engine;
mod place;
mod refusals;
