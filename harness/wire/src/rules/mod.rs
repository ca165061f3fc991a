//! Rules: which messages they match, and what happens to a message that matches.
//!
//! From bottom to top:
//! - [`latch`]: holds one message for a gate;
//! - [`line`]: stops every message, and hands each to the test;
//! - [`last_answer`]: the response that a recording keeps for `stale`;
//! - [`matcher`]: which messages a rule matches;
//! - [`fault`]: what a rule does to a message, and the decision for one message;
//! - [`by_route`]: the rules for one kind of message, indexed by route;
//! - [`registry`]: all armed rules of a wire, and the guard that keeps one armed.

mod by_route;
pub(crate) mod fault;
pub(crate) mod last_answer;
pub(crate) mod latch;
pub(crate) mod line;
pub(crate) mod matcher;
pub(crate) mod registry;
