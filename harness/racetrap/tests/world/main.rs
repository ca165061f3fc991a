//! Worlds as users of the command see them: what they refuse, and that nothing is left of them,
//! however they end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::disallowed_methods, reason = "these tests are the command's users")]

mod admission;
mod applicable;
mod booted_by_lima;
mod dind;
mod ends;
mod engine;
mod guest;
mod lanes;
mod language;
mod limactl;
mod logs;
mod place;
mod refusals;
mod reuse;
mod search;
mod survey;
mod untouched;
mod users_docker;
mod waits;
