//! HTTP/1.1 framing: where a head ends, how long its body is, and nothing about what it means.
//!
//! Bytes are never changed here; callers forward the slices that this module measures.

use std::str;

/// Longest head that is accepted, in bytes.
pub(crate) const HEAD_MAX: usize = 64 * 1024;

/// Most header fields that are accepted.
const FIELDS_MAX: usize = 100;

/// What a peer sent is no HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    #[error("a head of more than {HEAD_MAX} bytes")]
    HeadTooLong,
    #[error("a head with more than {FIELDS_MAX} fields")]
    TooManyFields,
    #[error("a head that is no HTTP: {0}")]
    Head(httparse::Error),
    #[error("a Content-Length that is no number: `{0}`")]
    Length(String),
    #[error("two different lengths of one body")]
    TwoLengths,
    #[error("a chunk whose size is no hexadecimal number")]
    ChunkSize,
    #[error("a chunk that does not end where its size says")]
    ChunkEnd,
}

/// A head, as far as forwarding needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the head, with its empty line.
    pub(crate) bytes: usize,
    /// First line of a request, or status of a response.
    pub(crate) start: Start,
    /// What the sender of a request calls itself.
    pub(crate) agent: Option<String>,
    fields: Fields,
}

/// What stands in the first line.
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
    /// Reads the head of a request; none where it is not whole yet.
    pub(crate) fn request(input: &[u8]) -> Result<Option<Self>, FramingError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        let Some(bytes) = parsed(request.parse(input), input)? else { return Ok(None) };
        let start = Start::Request {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
        };
        let agent =
            request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("user-agent"));
        let agent = agent.map(|field| String::from_utf8_lossy(field.value).into_owned());
        let fields = Fields::read(request.headers, request.version)?;
        Ok(Some(Self { bytes, start, agent, fields }))
    }

    /// Reads the head of a response; none where it is not whole yet.
    pub(crate) fn response(input: &[u8]) -> Result<Option<Self>, FramingError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let Some(bytes) = parsed(response.parse(input), input)? else { return Ok(None) };
        let start = Start::Response { status: response.code.unwrap_or_default() };
        let fields = Fields::read(response.headers, response.version)?;
        Ok(Some(Self { bytes, start, agent: None, fields }))
    }

    /// The body of this request.
    pub(crate) fn request_body(&self) -> Body {
        if self.fields.chunked {
            Body::Chunked(Chunks::default())
        } else {
            Body::Length(self.fields.length.unwrap_or_default())
        }
    }

    /// The body of this response to a request of `method` (RFC 9112, section 6.3).
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

    /// Length of the body in bytes, where the head says it.
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

/// A head that is whole, or not whole yet.
fn parsed(result: httparse::Result<usize>, input: &[u8]) -> Result<Option<usize>, FramingError> {
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
    fn read(headers: &[httparse::Header<'_>], version: Option<u8>) -> Result<Self, FramingError> {
        let mut fields = Self { version_1_0: version == Some(0), ..Self::default() };
        for header in headers {
            let value = str::from_utf8(header.value).unwrap_or_default().trim();
            let names =
                |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = length(value)?;
                if fields.length.is_some_and(|known| known != length) {
                    return Err(FramingError::TwoLengths);
                }
                fields.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                fields.chunked |= names("chunked");
            } else if header.name.eq_ignore_ascii_case("expect") {
                fields.expects_continue |= names("100-continue");
            } else if header.name.eq_ignore_ascii_case("connection") {
                fields.close |= names("close");
                fields.keep_alive |= names("keep-alive");
            }
        }
        if fields.chunked && fields.length.is_some() {
            return Err(FramingError::TwoLengths);
        }
        Ok(fields)
    }
}

/// Digits only: `+1` is a number to Rust, and none to HTTP.
fn length(value: &str) -> Result<u64, FramingError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten();
    number.ok_or_else(|| FramingError::Length(value.to_owned()))
}

/// What is still to come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks and their trailer.
    Chunked(Chunks),
    /// Everything up to the end of the connection.
    UntilClose,
}

impl Body {
    /// How many bytes of `input` belong to the body; `payload` is given
    /// those that are content, with their place in `input`.
    pub(crate) fn advance(
        &mut self,
        input: &[u8],
        mut payload: impl FnMut(usize, &[u8]),
    ) -> Result<usize, FramingError> {
        match self {
            Self::Length(left) => {
                let bytes = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= bytes as u64;
                payload(0, &input[..bytes]);
                Ok(bytes)
            }
            Self::Chunked(chunks) => chunks.advance(input, payload),
            Self::UntilClose => {
                payload(0, input);
                Ok(input.len())
            }
        }
    }

    /// What a sender who stops here owes of the chunk that it began: so many bytes of content, and
    /// these behind them. None in the middle of what is no content: nobody else can go on there.
    pub(crate) fn owed(&self) -> Option<(u64, &'static [u8])> {
        match self {
            Self::Length(left) => Some((*left, b"")),
            Self::Chunked(chunks) => chunks.owed(),
            Self::UntilClose => Some((0, b"")),
        }
    }

    /// Nothing more of it can come.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.at == ChunkPart::Done,
            Self::UntilClose => false,
        }
    }
}

/// A chunked body, read byte by byte where it has structure and in one step where it has content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks {
    at: ChunkPart,
    left: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkPart {
    #[default]
    FirstDigit,
    Digits,
    Extension,
    SizeLf,
    Content,
    ContentCr,
    ContentLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
    Done,
}

impl Chunks {
    fn advance(
        &mut self,
        input: &[u8],
        mut payload: impl FnMut(usize, &[u8]),
    ) -> Result<usize, FramingError> {
        let mut at = 0;
        while at < input.len() && self.at != ChunkPart::Done {
            if self.at == ChunkPart::Content {
                let left = usize::try_from(self.left).unwrap_or(usize::MAX);
                let end = at + left.min(input.len() - at);
                payload(at, &input[at..end]);
                self.left -= (end - at) as u64;
                at = end;
                if self.left == 0 {
                    self.at = ChunkPart::ContentCr;
                }
            } else {
                self.at = self.step(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn owed(&self) -> Option<(u64, &'static [u8])> {
        match self.at {
            ChunkPart::FirstDigit => Some((0, b"")),
            ChunkPart::Content => Some((self.left, b"\r\n")),
            ChunkPart::ContentCr => Some((0, b"\r\n")),
            ChunkPart::ContentLf => Some((0, b"\n")),
            ChunkPart::Digits
            | ChunkPart::Extension
            | ChunkPart::SizeLf
            | ChunkPart::TrailerStart
            | ChunkPart::Trailer
            | ChunkPart::TrailerLf
            | ChunkPart::LastLf
            | ChunkPart::Done => None,
        }
    }

    fn step(&mut self, byte: u8) -> Result<ChunkPart, FramingError> {
        use ChunkPart as Part;
        Ok(match (self.at, byte) {
            (Part::FirstDigit | Part::Digits, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16).unwrap_or_default();
                let grown = self.left.checked_mul(16).ok_or(FramingError::ChunkSize)?;
                self.left = grown + u64::from(digit);
                Part::Digits
            }
            (Part::Digits | Part::Extension, b'\r') => Part::SizeLf,
            (Part::Digits, b';' | b' ' | b'\t') => Part::Extension,
            (Part::Extension, other) if other != b'\n' => Part::Extension,
            (Part::SizeLf, b'\n') if self.left == 0 => Part::TrailerStart,
            (Part::SizeLf, b'\n') => Part::Content,
            (Part::ContentCr, b'\r') => Part::ContentLf,
            (Part::ContentLf, b'\n') => Part::FirstDigit,
            (Part::TrailerStart, b'\r') => Part::LastLf,
            (Part::LastLf, b'\n') => Part::Done,
            (Part::Trailer, b'\r') => Part::TrailerLf,
            (Part::TrailerStart | Part::Trailer, other) if other != b'\n' => Part::Trailer,
            (Part::TrailerLf, b'\n') => Part::TrailerStart,
            (Part::ContentCr | Part::ContentLf, _) => return Err(FramingError::ChunkEnd),
            _ => return Err(FramingError::ChunkSize),
        })
    }
}

#[cfg(test)]
mod tests;
