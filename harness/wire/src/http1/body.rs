//! Measures a body: how many of the bytes that have arrived belong to it, and which are content.

use crate::http1::error::FramingError;

/// What is still to come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// A body with a length; this many bytes are missing.
    Length(u64),
    /// A chunked body with its trailer.
    Chunked(Chunks),
    /// Everything up to the end of the connection.
    UntilClose,
}

impl Body {
    /// Consumes the part of `input` that belongs to the body and returns its length in bytes.
    ///
    /// Calls `on_content` for every slice of content, with the position of the slice in `input`.
    /// `input` may begin and end anywhere in the body: the state is kept from call to call.
    pub(crate) fn advance(
        &mut self,
        input: &[u8],
        mut on_content: impl FnMut(usize, &[u8]),
    ) -> Result<usize, FramingError> {
        match self {
            Self::Length(left) => {
                let bytes = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= bytes as u64;
                on_content(0, &input[..bytes]);
                Ok(bytes)
            }
            Self::Chunked(chunks) => chunks.advance(input, on_content),
            Self::UntilClose => {
                on_content(0, input);
                Ok(input.len())
            }
        }
    }

    /// What a sender that stops here still has to send to complete the chunk that it has begun: the
    /// number of content bytes, and the bytes behind them.
    ///
    /// None in the middle of a chunk's size or of the trailer: another sender cannot continue
    /// there, because it does not know the part that was sent already.
    pub(crate) fn unfinished_chunk(&self) -> Option<(u64, &'static [u8])> {
        match self {
            Self::Length(left) => Some((*left, b"")),
            Self::Chunked(chunks) => chunks.unfinished(),
            Self::UntilClose => Some((0, b"")),
        }
    }

    /// Whether the body is complete. One that lasts until the connection closes never is.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.part == ChunkPart::Done,
            Self::UntilClose => false,
        }
    }
}

/// Position in a chunked body. Structure is read byte by byte, content in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks {
    part: ChunkPart,
    /// Bytes that the current chunk still has; while its size is read, the size so far.
    left: u64,
}

/// The part of a chunked body that the next byte belongs to.
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
        mut on_content: impl FnMut(usize, &[u8]),
    ) -> Result<usize, FramingError> {
        let mut at = 0;
        while at < input.len() && self.part != ChunkPart::Done {
            if self.part == ChunkPart::Content {
                let left = usize::try_from(self.left).unwrap_or(usize::MAX);
                let end = at + left.min(input.len() - at);
                on_content(at, &input[at..end]);
                self.left -= (end - at) as u64;
                at = end;
                if self.left == 0 {
                    self.part = ChunkPart::ContentCr;
                }
            } else {
                self.part = self.step(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn unfinished(&self) -> Option<(u64, &'static [u8])> {
        match self.part {
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

    /// The part that follows when this byte comes next (RFC 9112, section 7.1). Stricter than the
    /// RFC where leniency would let two readers disagree: a line must end with CR LF.
    fn step(&mut self, byte: u8) -> Result<ChunkPart, FramingError> {
        use ChunkPart as Part;
        Ok(match (self.part, byte) {
            // `left` is 0 at the first digit, because the chunk before it was read to its end.
            (Part::FirstDigit | Part::Digits, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16).unwrap_or_default();
                let shifted = self.left.checked_mul(16).ok_or(FramingError::ChunkSize)?;
                self.left = shifted + u64::from(digit);
                Part::Digits
            }
            (Part::Digits | Part::Extension, b'\r') => Part::SizeLf,
            (Part::Digits, b';' | b' ' | b'\t') => Part::Extension,
            (Part::Extension, other) if other != b'\n' => Part::Extension,
            // A chunk of size 0 is the last one: the trailer follows.
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
