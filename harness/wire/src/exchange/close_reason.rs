//! Why a connection ends.

use std::io;

use crate::event::Side;
use crate::http1::error::FramingError;

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum CloseReason {
    /// HTTP says that it ends here, or the client has closed it.
    Closed,
    /// The wire could not connect to the upstream, or the upstream has closed in the middle of an
    /// exchange.
    UpstreamLost(String),
    /// One side sent something that is not HTTP. The status is what the client is answered with;
    /// none if the client has received a part of a response already.
    Malformed(Side, FramingError, Option<u16>),
}

impl CloseReason {
    pub(crate) fn upstream_lost(error: io::Error) -> Self {
        Self::UpstreamLost(error.to_string())
    }

    pub(crate) fn bad_request(error: FramingError) -> Self {
        Self::Malformed(Side::Client, error, Some(400))
    }

    pub(crate) fn bad_response_head(error: FramingError) -> Self {
        Self::Malformed(Side::Upstream, error, Some(502))
    }

    pub(crate) fn bad_response_body(error: FramingError) -> Self {
        Self::Malformed(Side::Upstream, error, None)
    }
}
