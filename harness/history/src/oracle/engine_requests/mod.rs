//! The daemon asks the engine in the promised words and order.

mod actions;
mod engine_clock;
mod oracle;
mod order;
mod probes;
mod words;

pub use self::oracle::engine_requests;
