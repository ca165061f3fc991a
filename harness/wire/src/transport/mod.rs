//! What carries the bytes: unix sockets, or TLS over TCP. Nothing else in the wire knows which.
//!
//! - [`endpoint`]: where a wire is bound, closed and bound again; whom it accepts;
//! - [`connector`]: how it reaches the other side;
//! - [`tls`]: certificates and what is promised with them.

pub(crate) mod connector;
pub(crate) mod endpoint;
pub(crate) mod tls;
