//! The content of the engine's log streams, without the headers of its frames.

/// Bytes of a frame's header: the stream, three zeros, and the length in network order.
const HEADER: usize = 8;

/// The last stream of a container: 0 is its input, 1 its output, 2 its errors.
const LAST_STREAM: u8 = 2;

/// Takes the body of a log response apart. The body may arrive in pieces that end anywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Demux {
    /// The beginning of the next header.
    header: Vec<u8>,
    /// How many bytes of the present frame are still to come.
    left: usize,
    /// Whether they are content.
    is_content: bool,
    framing: Framing,
}

/// Whether a body has frames. A container with a terminal has one stream, and its log has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Framing {
    /// No complete header has arrived yet.
    #[default]
    Unknown,
    Frames,
    Raw,
}

impl Demux {
    /// Takes the next piece of a body, and appends the content in it to `content`.
    pub(super) fn push(&mut self, mut body: &[u8], content: &mut Vec<u8>) {
        while !body.is_empty() {
            if self.framing == Framing::Raw {
                content.extend_from_slice(body);
                return;
            }
            if self.left > 0 {
                let (part, rest) = body.split_at(self.left.min(body.len()));
                if self.is_content {
                    content.extend_from_slice(part);
                }
                self.left -= part.len();
                body = rest;
            } else {
                self.header.push(body[0]);
                body = &body[1..];
                self.take_header(content);
            }
        }
    }

    /// Reads the header, as soon as it is complete or cannot be one.
    fn take_header(&mut self, content: &mut Vec<u8>) {
        // Only the first header decides, because output without frames may contain anything later.
        let is_none = |header: &[u8]| {
            header[0] > LAST_STREAM || header.iter().skip(1).take(3).any(|byte| *byte != 0)
        };
        if self.framing == Framing::Unknown && is_none(&self.header) {
            self.framing = Framing::Raw;
            content.append(&mut self.header);
        } else if let Ok(header) = <[u8; HEADER]>::try_from(self.header.as_slice()) {
            self.framing = Framing::Frames;
            let [stream, _, _, _, length @ ..] = header;
            self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            // The engine tells of its own errors in another stream. That is no part of the log.
            self.is_content = stream <= LAST_STREAM;
            self.header.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FRAMES: &[u8] =
        b"\x01\0\0\0\0\0\0\x03ab\n\x02\0\0\0\0\0\0\x00\x02\0\0\0\0\0\0\x02c\n\x03\0\0\0\0\0\0\x01!";

    // Each body is cut at every byte: what is content must not depend on how it arrived. The last
    // frame of the first one is the engine's own error.
    #[rstest]
    #[case::frames(FRAMES, b"ab\nc\n")]
    #[case::terminal(b"a\r\nb\0\0\0", b"a\r\nb\0\0\0")]
    #[case::terminal_with_a_low_byte_first(b"\x01ab", b"\x01ab")]
    #[case::in_the_middle_of_a_frame(b"\x01\0\0\0\0\0\0\x03ab", b"ab")]
    #[case::in_the_middle_of_a_header(b"\x01\0\0\0\0", b"")]
    fn the_content_is_without_headers(#[case] body: &[u8], #[case] expected: &[u8]) {
        for cut in 0..=body.len() {
            let (mut demux, mut content) = (Demux::default(), Vec::new());
            demux.push(&body[..cut], &mut content);
            demux.push(&body[cut..], &mut content);
            assert_eq!(content, expected, "cut at {cut}");
        }
    }
}
