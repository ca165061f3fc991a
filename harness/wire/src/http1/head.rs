//! Parses the heads of requests and responses, and says how their bodies are framed.

use std::str;

use crate::http1::body::{Body, Chunks};
use crate::http1::error::{FIELDS_MAX, FramingError, HEAD_MAX};

/// The head of a message, with the fields that forwarding depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Length of the head in bytes, with its empty line.
    pub(crate) bytes: usize,
    /// First line of a request, or status of a response.
    pub(crate) start: Start,
    /// The `User-Agent` field of a request; none for a response.
    pub(crate) agent: Option<String>,
    fields: Fields,
}

/// The contents of the first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: String, target: String },
    Response { status: u16 },
}

/// The fields that decide where a message ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
    version_1_0: bool,
}

impl Head {
    /// Parses the head of a request at the beginning of `input`; none if it is not complete yet.
    pub(crate) fn request(input: &[u8]) -> Result<Option<Self>, FramingError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        let Some(bytes) = head_length(request.parse(input), input)? else { return Ok(None) };
        let start = Start::Request {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
        };
        let agent =
            request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("user-agent"));
        let agent = agent.map(|field| String::from_utf8_lossy(field.value).into_owned());
        let fields = Fields::parse(request.headers, request.version)?;
        Ok(Some(Self { bytes, start, agent, fields }))
    }

    /// Parses the head of a response at the beginning of `input`; none if it is not complete yet.
    pub(crate) fn response(input: &[u8]) -> Result<Option<Self>, FramingError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let Some(bytes) = head_length(response.parse(input), input)? else { return Ok(None) };
        let start = Start::Response { status: response.code.unwrap_or_default() };
        let fields = Fields::parse(response.headers, response.version)?;
        Ok(Some(Self { bytes, start, agent: None, fields }))
    }

    /// How the body of this request is framed.
    pub(crate) fn request_body(&self) -> Body {
        if self.fields.chunked {
            Body::Chunked(Chunks::default())
        } else {
            Body::Length(self.fields.length.unwrap_or_default())
        }
    }

    /// How the body of this response to a request of `method` is framed (RFC 9112, section 6.3).
    pub(crate) fn response_body(&self, method: &str) -> Body {
        let Start::Response { status } = self.start else { return Body::Length(0) };
        if method == "HEAD" || status == 204 || status == 304 || (100..200).contains(&status) {
            Body::Length(0)
        } else if self.fields.chunked {
            Body::Chunked(Chunks::default())
        } else {
            self.fields.length.map_or(Body::UntilClose, Body::Length)
        }
    }

    /// Length of the body in bytes; none for a chunked body.
    pub(crate) fn body_bytes(&self) -> Option<u64> {
        if self.fields.chunked { None } else { Some(self.fields.length.unwrap_or_default()) }
    }

    /// Whether the sender waits for a `100 Continue` before it sends the body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.fields.expects_continue
    }

    /// Whether the connection ends with this message.
    pub(crate) fn closes(&self) -> bool {
        self.fields.close || (self.fields.version_1_0 && !self.fields.keep_alive)
    }
}

/// Length of a complete head in bytes; none if the head is not complete yet.
fn head_length(
    result: httparse::Result<usize>,
    input: &[u8],
) -> Result<Option<usize>, FramingError> {
    match result {
        Ok(httparse::Status::Complete(bytes)) if bytes <= HEAD_MAX => Ok(Some(bytes)),
        Ok(httparse::Status::Complete(_)) => Err(FramingError::HeadTooLong),
        Ok(httparse::Status::Partial) if input.len() >= HEAD_MAX => Err(FramingError::HeadTooLong),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(FramingError::TooManyFields),
        Err(error) => Err(FramingError::Head(error)),
    }
}

impl Fields {
    fn parse(headers: &[httparse::Header<'_>], version: Option<u8>) -> Result<Self, FramingError> {
        let mut fields = Self { version_1_0: version == Some(0), ..Self::default() };
        for header in headers {
            let value = str::from_utf8(header.value).unwrap_or_default().trim();
            let has_word =
                |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = parse_length(value)?;
                // The same length twice is allowed (RFC 9110, section 8.6).
                if fields.length.is_some_and(|known| known != length) {
                    return Err(FramingError::TwoLengths);
                }
                fields.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                fields.chunked |= has_word("chunked");
            } else if header.name.eq_ignore_ascii_case("expect") {
                fields.expects_continue |= has_word("100-continue");
            } else if header.name.eq_ignore_ascii_case("connection") {
                fields.close |= has_word("close");
                fields.keep_alive |= has_word("keep-alive");
            }
        }
        // A message with both is how requests are smuggled past a proxy (RFC 9112, section 6.1).
        if fields.chunked && fields.length.is_some() {
            return Err(FramingError::TwoLengths);
        }
        Ok(fields)
    }
}

/// Accepts digits only: Rust would parse `+1` as a number, HTTP does not allow it.
fn parse_length(value: &str) -> Result<u64, FramingError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten();
    number.ok_or_else(|| FramingError::Length(value.to_owned()))
}
