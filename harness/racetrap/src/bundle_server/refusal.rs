//! Refusals that API server and engine both give, each in its own JSON form.

/// The message for a request that would change something.
pub(super) const READ_ONLY: &str = "this is a bundle, which can only be read: its world is gone";

/// The message for something that was not captured.
pub(super) fn not_captured(name: &str, why: &str) -> String {
    format!("the bundle has no {name}: {why}")
}
