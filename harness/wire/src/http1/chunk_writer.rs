//! Continues a body in the wire's own framing, from the middle of a body that the upstream framed.

use crate::http1::body::Body;

/// Frames content that continues a body whose beginning was forwarded unchanged.
#[derive(Debug)]
pub(crate) struct ChunkWriter {
    chunked: bool,
    /// Content bytes that the open chunk still needs: its size was forwarded already.
    missing: u64,
    /// The bytes that end the open chunk.
    chunk_end: &'static [u8],
}

impl ChunkWriter {
    /// Continues behind the part that `sent` has measured. None if the head has announced a length,
    /// or if `sent` stopped in the middle of a chunk's size or of the trailer.
    pub(crate) fn continuing(sent: &Body) -> Option<Self> {
        let (missing, chunk_end) = sent.unfinished_chunk()?;
        match sent {
            Body::Length(_) => None,
            Body::Chunked(_) => Some(Self { chunked: true, missing, chunk_end }),
            Body::UntilClose => Some(Self { chunked: false, missing, chunk_end }),
        }
    }

    /// Frames `content` and returns the bytes to send. Fills the open chunk first, and puts the
    /// rest into a chunk of its own.
    pub(crate) fn frame(&mut self, content: &[u8]) -> Vec<u8> {
        if !self.chunked {
            return content.to_owned();
        }
        let fitting = content.len().min(usize::try_from(self.missing).unwrap_or(usize::MAX));
        let (filling, content) = content.split_at(fitting);
        self.missing -= filling.len() as u64;
        let mut bytes = filling.to_owned();
        if self.missing > 0 {
            // The chunk is still open. A later call or `finish` fills the rest.
            return bytes;
        }
        bytes.extend_from_slice(std::mem::take(&mut self.chunk_end));
        // A chunk of size 0 would end the body.
        if !content.is_empty() {
            bytes.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    /// Returns the bytes that end the body. Fills an open chunk with empty lines, which mean
    /// nothing between two frames.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        if !self.chunked {
            return Vec::new();
        }
        // The missing content was in memory once: the wire has read and dropped it.
        let blank = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let mut bytes = self.frame(&vec![b'\n'; blank]);
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::head::Head;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const SENT: &[u8] = b"5\r\nab\ncd\r\n3;x=y\r\nefg\r\n";

    fn read(body: &mut Body, input: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        let bytes = body.advance(input, |_, part| content.extend_from_slice(part)).unwrap();
        assert_eq!(bytes, input.len(), "the body goes on to the end of the input");
        content
    }

    // The upstream's part is cut at every byte and continued by the wire. A reader of both parts
    // must see the content of both, and an end. Only in the middle of a chunk's size the wire
    // cannot continue.
    #[test]
    fn content_continues_wherever_the_upstreams_framing_was_cut() {
        let body = Head::response(HEAD).unwrap().unwrap().response_body("GET");
        let mut cut_in_a_size = Vec::new();
        for cut in 0..=SENT.len() {
            let mut sent = body.clone();
            let before = read(&mut sent, &SENT[..cut]);
            let Some(mut writer) = ChunkWriter::continuing(&sent) else {
                cut_in_a_size.push(cut);
                continue;
            };
            let own = [writer.frame(b"XY"), writer.frame(b"Z1234"), writer.finish()].concat();
            let mut reader = body.clone();
            let seen = read(&mut reader, &[&SENT[..cut], &own].concat());
            assert!(reader.is_done(), "cut at {cut}");
            assert_eq!(seen, [&before[..], b"XYZ1234"].concat(), "cut at {cut}");
        }
        assert_eq!(cut_in_a_size, [1, 2, 11, 12, 13, 14, 15, 16]);
    }

    // The chunk's size says 9 bytes and only 6 are left to send: the reader gets 3 empty lines.
    #[test]
    fn an_open_chunk_is_filled_with_empty_lines_at_the_end() {
        let mut sent = Head::response(HEAD).unwrap().unwrap().response_body("GET");
        read(&mut sent, b"9\r\n{}\n");
        let mut writer = ChunkWriter::continuing(&sent).unwrap();
        assert_eq!(writer.frame(b"[]\n"), b"[]\n");
        assert_eq!(writer.finish(), b"\n\n\n\r\n0\r\n\r\n");
    }
}
