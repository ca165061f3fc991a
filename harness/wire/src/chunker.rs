//! Frames the content of a stream anew, from the middle of what somebody else has framed.

use crate::http1::Body;

/// Goes on with a body that was passed on as it came, with content of its own.
#[derive(Debug)]
pub(crate) struct Chunker {
    chunked: bool,
    /// Bytes of content that the last chunk's size has promised.
    promised: u64,
    /// What ends that chunk.
    owed: &'static [u8],
}

impl Chunker {
    /// Goes on behind what `sent` has measured; none where the head has promised a length, or where
    /// that is no place at which content can begin.
    pub(crate) fn behind(sent: &Body) -> Option<Self> {
        let (promised, owed) = sent.owed()?;
        match sent {
            Body::Length(_) => None,
            Body::Chunked(_) => Some(Self { chunked: true, promised, owed }),
            Body::UntilClose => Some(Self { chunked: false, promised, owed }),
        }
    }

    /// The bytes that carry this content.
    pub(crate) fn content(&mut self, content: &[u8]) -> Vec<u8> {
        if !self.chunked {
            return content.to_owned();
        }
        let fitting = content.len().min(usize::try_from(self.promised).unwrap_or(usize::MAX));
        let (filling, content) = content.split_at(fitting);
        self.promised -= filling.len() as u64;
        let mut bytes = filling.to_owned();
        if self.promised > 0 {
            return bytes;
        }
        bytes.extend_from_slice(std::mem::take(&mut self.owed));
        if !content.is_empty() {
            bytes.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    /// The bytes that end the body. A chunk that nothing fills any more is filled with empty lines,
    /// which mean nothing between two frames.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        if !self.chunked {
            return Vec::new();
        }
        // What is promised was dropped here, and was in memory then.
        let blank = usize::try_from(self.promised).unwrap_or(usize::MAX);
        let mut bytes = self.content(&vec![b'\n'; blank]);
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Head;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const SENT: &[u8] = b"5\r\nab\ncd\r\n3;x=y\r\nefg\r\n";

    fn read(body: &mut Body, input: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        let bytes = body.advance(input, |_, part| content.extend_from_slice(part)).unwrap();
        assert_eq!(bytes, input.len(), "the body goes on to the end of the input");
        content
    }

    // Wherever the engine's framing is left, what a reader makes of the engine's part and the wire's is
    // the content of both, up to an end. Only in the middle of a chunk's size nobody can go on.
    #[test]
    fn content_goes_on_wherever_the_framing_was_left() {
        let body = Head::response(HEAD).unwrap().unwrap().response_body("GET");
        let mut left_in_a_size = Vec::new();
        for cut in 0..=SENT.len() {
            let mut sent = body.clone();
            let before = read(&mut sent, &SENT[..cut]);
            let Some(mut chunker) = Chunker::behind(&sent) else {
                left_in_a_size.push(cut);
                continue;
            };
            let own = [chunker.content(b"XY"), chunker.content(b"Z1234"), chunker.end()].concat();
            let mut reader = body.clone();
            let seen = read(&mut reader, &[&SENT[..cut], &own].concat());
            assert!(reader.is_done(), "left at {cut}");
            assert_eq!(seen, [&before[..], b"XYZ1234"].concat(), "left at {cut}");
        }
        assert_eq!(left_in_a_size, [1, 2, 11, 12, 13, 14, 15, 16]);
    }

    // Nothing is left to fill the chunk with: its reader gets as many empty lines as were promised.
    #[test]
    fn a_promise_that_nothing_fills_is_kept() {
        let mut sent = Head::response(HEAD).unwrap().unwrap().response_body("GET");
        read(&mut sent, b"9\r\n{}\n");
        let mut chunker = Chunker::behind(&sent).unwrap();
        assert_eq!(chunker.content(b"[]\n"), b"[]\n");
        assert_eq!(chunker.end(), b"\n\n\n\r\n0\r\n\r\n");
    }
}
