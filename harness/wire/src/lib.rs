//! HTTP/1.1 interposer between a daemon and its container engine, unix socket to unix socket.
//!
//! Where to start:
//! - [`Wire`]: bound where the daemon looks for its engine; forwards, and tells all as [`Event`]s;
//! - [`Gate`]: stops one message ([`Matcher`], [`Point`]) until it is released;
//! - `faults/`: one file a fault; `README.md` teaches how to add one;
//! - `connection`, `response`, `stream`: how messages go through, up, down, and event by event;
//!   `http1`, `frame`, `route`: what they are.
//!
//! It knows HTTP and the engine's routes, and nothing of daemons, scenarios or verdicts.

#![warn(missing_docs)]

mod call;
mod connection;
mod event;
mod faults;
mod frame;
mod gate;
mod http1;
mod listener;
mod live;
mod peer;
mod phase;
mod response;
mod route;
mod rule;
mod stream;
mod wire;

pub use event::{Event, Side, What};
pub use faults::cut::Streams;
pub use faults::refuse::Refusal;
pub use gate::{Gate, NotReached};
pub use phase::Phase;
pub use route::route_templates;
pub use rule::{Matcher, Point, RuleGuard};
pub use wire::{Wire, WireConfig, WireError, WireStatus};
