//! What carries the bytes: unix sockets, or TLS over TCP. The rest of the wire does not know which.
//!
//! From bottom to top:
//! - [`tls`]: certificates, and the settings of TLS on both sides;
//! - [`halves`]: the two directions of one connection, read and written alike for both transports;
//! - [`connector`]: connects to the upstream;
//! - [`endpoint`]: binds the socket for clients, closes it and binds it again; accepts clients.

pub(crate) mod connector;
pub(crate) mod endpoint;
pub(crate) mod halves;
pub(crate) mod tls;

#[cfg(test)]
mod tests;
