//! The limits of what is accepted as HTTP/1.1, and the error of what is not.

/// Longest head that is accepted, in bytes.
pub(crate) const HEAD_MAX: usize = 64 * 1024;

/// Most header fields that are accepted.
pub(crate) const FIELDS_MAX: usize = 100;

/// A client or an upstream sent something that is not HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    #[error("a head of more than {HEAD_MAX} bytes")]
    HeadTooLong,
    #[error("a head with more than {FIELDS_MAX} fields")]
    TooManyFields,
    #[error("a head that is not HTTP: {0}")]
    Head(httparse::Error),
    #[error("a Content-Length that is not a number: `{0}`")]
    Length(String),
    #[error("two different lengths of one body")]
    TwoLengths,
    #[error("a chunk whose size is not a hexadecimal number")]
    ChunkSize,
    #[error("a chunk that does not end where its size says")]
    ChunkEnd,
}
