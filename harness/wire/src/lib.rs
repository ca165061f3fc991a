//! HTTP/1.1 interposer between clients and their upstream, over unix sockets or TLS.
//!
//! A wire stands between a daemon and its container engine, between clients and the daemon's API
//! server, or between a user and the user's own engine. It knows HTTP and the routes of the two
//! APIs, and nothing of daemons, scenarios or verdicts. In every place the side that sends requests
//! is the *client*, and the server that answers them is the *upstream*.
//!
//! Where to start:
//! - [`Wire`]: listens where clients look for the upstream, forwards, and reports [`Event`]s;
//! - [`Gate`]: holds one message ([`Matcher`], [`Point`]) until it is released;
//! - `faults/`: one fault a file; `README.md` describes how to add one;
//! - `exchange/`: how a request, its response and an event stream are forwarded;
//! - [`Listen`], [`Upstream`], [`Authority`]: what carries the bytes; [`Dialect`]: the API that
//!   they belong to.
//!
//! # Layers
//!
//! The modules, from bottom to top. A module imports only from modules with a smaller number, or
//! from its own folder. `mod.rs` of a folder has the order within the folder.
//!
//! 1. `error`: the errors that a user of the wire can get
//! 2. `clock`: timers
//! 3. `dialect`, `phase`, `point`: the API, the phase of a client, the place of a gate
//! 4. `head_edits`, `json_edits`: edits of the fields of a head, and of a JSON value
//! 5. `http1/`: framing of heads and bodies
//! 6. `frame`: frames of an event stream
//! 7. `route/`: route templates of the APIs
//! 8. `call`: a request as rules see it
//! 9. `event`: what a wire reports, and taps of content
//! 10. `transport/`: unix sockets and TLS
//! 11. `rules/`: matchers, effects, and the armed rules
//! 12. `gate`: the gate that a test holds
//! 13. `injection`: frames on their way into event streams
//! 14. `connection_state`: the state of a connection that other tasks read
//! 15. `shared`: what all connections of a wire share
//! 16. `context`: a connection as its own task sees it
//! 17. `wire`: the handle of a wire
//! 18. `faults/`: one fault a file
//! 19. `exchange/`: serves one connection
//! 20. `listener`: accepts clients
//! 21. `lifecycle`: starts and closes a wire

#![warn(missing_docs)]

mod call;
mod clock;
mod connection_state;
mod context;
mod dialect;
mod error;
mod event;
mod exchange;
mod faults;
mod frame;
mod gate;
mod head_edits;
mod http1;
mod injection;
mod json_edits;
mod lifecycle;
mod listener;
mod phase;
mod point;
mod route;
mod rules;
mod shared;
mod transport;
mod wire;

pub use dialect::Dialect;
pub use error::{TlsError, WireError};
pub use event::{ContentSink, Event, Side, Tap, What};
pub use faults::cut::Streams;
pub use faults::half_open::HalfOpenAfter;
pub use faults::record::{NotRecorded, Recording};
pub use faults::refuse::Refusal;
pub use faults::rewrite::{Part, Rewrite};
pub use gate::{Gate, HoldEach, NotReached};
pub use lifecycle::WireConfig;
pub use phase::Phase;
pub use point::Point;
pub use route::route_templates;
pub use rules::fault::Pieces;
pub use rules::latch::StoppedMessage;
pub use rules::matcher::Matcher;
pub use rules::registry::RuleGuard;
pub use transport::connector::Upstream;
pub use transport::endpoint::Listen;
pub use transport::tls::{Authority, Identity};
pub use wire::{Wire, WireStatus};
