//! Serves one connection: forwards requests to the upstream and responses to the client, and
//! applies what the rules decide for each message.
//!
//! From bottom to top:
//! - [`close_reason`]: why a connection ends;
//! - [`graceful_close`]: tells both sides that an end is intended;
//! - [`watch_head`]: changes the head of a Kubernetes watch, so that the response is readable;
//! - [`response`]: reads a response from the upstream, and sends its bytes to the client;
//! - [`content`]: the content of a complete response, and its replacement;
//! - [`event_stream`]: forwards an event stream frame by frame;
//! - [`forward_response`]: forwards any response;
//! - [`connection`]: reads requests, forwards them, and forwards what follows.

mod close_reason;
pub(crate) mod connection;
mod content;
mod event_stream;
mod forward_response;
mod graceful_close;
mod response;
mod watch_head;
