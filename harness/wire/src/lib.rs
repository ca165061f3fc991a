//! HTTP/1.1 interposer between a daemon and its container engine, or between clients and a daemon's
//! API server; over unix sockets or TLS.
//!
//! Where to start:
//! - [`Wire`]: bound where the daemon looks for its engine; forwards, and tells all as [`Event`]s;
//! - [`Gate`]: stops one message ([`Matcher`], [`Point`]) until it is released;
//! - `faults/`: one file a fault; `README.md` teaches how to add one;
//! - `connection`, `response`, `stream`: how messages go through, up, down, and event by event;
//!   `http1`, `frame`, `route`: what they are;
//! - [`Listen`], [`Upstream`], [`Authority`]: what carries the bytes; [`Dialect`]: what they mean.
//!
//! It knows HTTP and the routes of both APIs, and nothing of daemons, scenarios or verdicts.

#![warn(missing_docs)]

mod call;
mod chunker;
mod connection;
mod dialect;
mod event;
mod farewell;
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
mod table;
mod transport;
mod watch_head;
mod whole;
mod wire;

pub use dialect::Dialect;
pub use event::{Event, Side, What};
pub use faults::cut::Streams;
pub use faults::half_open::Passes;
pub use faults::record::{NotRecorded, Recording};
pub use faults::refuse::Refusal;
pub use faults::rewrite::{Part, Rewrite};
pub use faults::slow::Pieces;
pub use gate::{Gate, NotReached};
pub use phase::Phase;
pub use route::route_templates;
pub use rule::{Matcher, Point, RuleGuard};
pub use transport::connector::Upstream;
pub use transport::endpoint::Listen;
pub use transport::tls::{Authority, Identity, TlsError};
pub use wire::{Wire, WireConfig, WireError, WireStatus};
