//! HTTP/1.1 framing: where a head ends and how long its body is, but not what a message means.
//!
//! From bottom to top:
//! - [`error`]: the limits, and the error of a message that breaks them or is not HTTP;
//! - [`body`]: measures a body, whichever way it is framed;
//! - [`head`]: parses a head, and says how its body is framed;
//! - [`chunk_writer`]: continues a body whose beginning was framed by somebody else.
//!
//! Nothing here changes bytes: callers forward the slices that this module measures.

pub(crate) mod body;
pub(crate) mod chunk_writer;
pub(crate) mod error;
pub(crate) mod head;

#[cfg(test)]
mod tests;
