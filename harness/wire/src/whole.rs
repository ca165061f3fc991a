//! A response that has been read to its end: its content, and how it is framed with another one.

use bytes::BytesMut;

use crate::connection::End;
use crate::http1::{Body, Head};
use crate::response::{Response, malformed};

impl Response<'_> {
    /// The content of the response, read to its end; none where it has no body, no end of its own,
    /// or more than is kept. The response stays in the buffer.
    pub(crate) async fn content(
        &mut self,
        head: &Head,
        body: &Body,
    ) -> Result<Option<Vec<u8>>, End> {
        if body.is_done() {
            return Ok(None);
        }
        let Some(whole) = self.keep_whole(head, body).await? else { return Ok(None) };
        let (mut content, mut ahead) = (Vec::new(), body.clone());
        let framed = &self.engine_in.buffer[head.bytes..whole];
        ahead.advance(framed, |_, part| content.extend_from_slice(part)).map_err(malformed)?;
        Ok(Some(content))
    }

    /// Puts a response with this content into the place of the one in the buffer, which was read to
    /// its end; of its trailer fields nothing is left.
    pub(crate) fn replace_content(&mut self, head: &mut Head, body: &mut Body, content: &[u8]) {
        let chunked = matches!(body, Body::Chunked(_));
        let framed = framed(&self.engine_in.buffer[..head.bytes], content, chunked);
        self.engine_in.buffer = BytesMut::from(&*framed);
        *head = Head::response(&framed)
            .ok()
            .flatten()
            .expect("the head was whole, and differs in nothing but its length");
        *body = head.response_body(&self.call.method);
    }
}

/// A response with the fields of `head` and this content, in the way of framing that it had.
fn framed(head: &[u8], content: &[u8], chunked: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(head.len() + content.len() + 64);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is = |field: &str| name.eq_ignore_ascii_case(field.as_bytes());
        if !(line.trim_ascii().is_empty() || is("content-length") || is("trailer")) {
            bytes.extend_from_slice(line);
        }
    }
    if chunked {
        bytes.extend_from_slice(b"\r\n");
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

    // What a parser makes of the result is what was asked for, whatever the framing was before.
    #[test]
    fn the_length_is_that_of_the_new_content() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nX: y\r\n\r\n";
        assert_eq!(
            framed(head, b"ab", false),
            b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nab"
        );
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n";
        let kept = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(framed(head, b"ab", true), format!("{kept}2\r\nab\r\n0\r\n\r\n").as_bytes());
        assert_eq!(framed(head, b"", true), format!("{kept}0\r\n\r\n").as_bytes());
    }
}
