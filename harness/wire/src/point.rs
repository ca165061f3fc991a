//! The points on the way of a message at which a gate can stop it.

use std::fmt;

/// Where on its way a message is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The upstream has not received one byte of the request.
    Request,
    /// The upstream has sent its response, completely if the response has an end; the client has
    /// received nothing of it.
    Response,
    /// One frame of an event stream is held, and everything behind it in the same stream.
    Frame,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Frame => "frame",
        })
    }
}
