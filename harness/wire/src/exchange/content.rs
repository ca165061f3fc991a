//! The content of a complete response, without its framing, and its replacement by other content.

use bytes::BytesMut;

use crate::exchange::close_reason::CloseReason;
use crate::exchange::response::Response;
use crate::http1::body::Body;
use crate::http1::head::Head;

impl Response<'_> {
    /// Reads the response to its end and returns its content; the response stays in the buffer.
    /// None if it has no body, no end of its own, or is too long to be buffered.
    pub(crate) async fn read_content(
        &mut self,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Vec<u8>>, CloseReason> {
        if body.is_done() {
            return Ok(None);
        }
        let Some(end) = self.buffer_whole(head, body).await? else { return Ok(None) };
        let (mut content, mut lookahead) = (Vec::new(), body.clone());
        let framed = &self.upstream_reader.buffer[head.bytes..end];
        lookahead
            .advance(framed, |_, part| content.extend_from_slice(part))
            .map_err(CloseReason::bad_response_body)?;
        Ok(Some(content))
    }

    /// Replaces the response in the buffer by one with this content, and `head` and `body` with it.
    /// The response must have been read by `read_content`. Trailer fields are lost.
    pub(crate) fn replace_content(&mut self, head: &mut Head, body: &mut Body, content: &[u8]) {
        let chunked = matches!(body, Body::Chunked(_));
        let framed = frame_response(&self.upstream_reader.buffer[..head.bytes], content, chunked);
        self.upstream_reader.buffer = BytesMut::from(&*framed);
        *head = Head::response(&framed)
            .ok()
            .flatten()
            .expect("the old head was complete, and only its length fields have changed");
        *body = head.response_body(&self.call.method);
    }
}

/// A response with the fields of `head` and this content, framed as before: chunked or by length.
fn frame_response(head: &[u8], content: &[u8], chunked: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(head.len() + content.len() + 64);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is = |field: &str| name.eq_ignore_ascii_case(field.as_bytes());
        // Leaves out the empty line, too: the new length has to come before it.
        if !(line.trim_ascii().is_empty() || is("content-length") || is("trailer")) {
            bytes.extend_from_slice(line);
        }
    }
    if chunked {
        bytes.extend_from_slice(b"\r\n");
        // A chunk of size 0 would end the body.
        if !content.is_empty() {
            bytes.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", content.len()).as_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected bytes are what a parser needs to read the new content, for both kinds of
    // framing.
    #[test]
    fn a_replaced_response_is_framed_for_its_new_content() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nX: y\r\n\r\n";
        assert_eq!(
            frame_response(head, b"ab", false),
            b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nab"
        );
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n";
        let kept = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let framed = frame_response(head, b"ab", true);
        assert_eq!(framed, format!("{kept}2\r\nab\r\n0\r\n\r\n").as_bytes());
        assert_eq!(frame_response(head, b"", true), format!("{kept}0\r\n\r\n").as_bytes());
    }
}
