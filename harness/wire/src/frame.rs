//! Frames of an event stream: lines of JSON in the content of a response.

use serde_json::Value;

/// Longest frame in bytes. A longer one is split, and each part counts as a frame.
const FRAME_MAX: usize = 1024 * 1024;

/// One frame of an event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Position behind the last byte of the frame, in the input in which the frame ended.
    pub(crate) end: usize,
    /// The frame as JSON; its text as a string if it is not JSON.
    pub(crate) json: Value,
    /// The bytes of the frame, unchanged.
    pub(crate) content: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(content: Vec<u8>, end: usize) -> Self {
        let text = content.trim_ascii();
        // Docker may put a record separator before the text (RFC 7464). It is not part of the JSON.
        let text = text.strip_prefix(b"\x1e").unwrap_or(text);
        let json = serde_json::from_slice(text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(text).into_owned()));
        Self { end, json, content }
    }
}

/// Splits content into frames. The content may arrive in pieces that end anywhere.
#[derive(Debug, Default)]
pub(crate) struct FrameSplitter {
    /// The beginning of a frame whose end has not arrived yet.
    partial: Vec<u8>,
}

impl FrameSplitter {
    /// Takes the next piece of content, which is at position `at` of the input, and appends the
    /// frames that it completes to `complete`.
    pub(crate) fn push(&mut self, at: usize, content: &[u8], complete: &mut Vec<Frame>) {
        let mut end = at;
        for piece in content.split_inclusive(|byte| *byte == b'\n') {
            end += piece.len();
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= FRAME_MAX {
                complete.extend(self.take(end));
            }
        }
    }

    /// Returns the incomplete frame that is left when the content has ended at position `end`.
    pub(crate) fn finish(&mut self, end: usize) -> Option<Frame> {
        self.take(end)
    }

    /// Whether no frame is incomplete.
    pub(crate) fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }

    fn take(&mut self, end: usize) -> Option<Frame> {
        let content = std::mem::take(&mut self.partial);
        // A blank line is not a frame. The wire sends such lines itself, to fill an open chunk.
        let blank = matches!(content.trim_ascii(), b"" | b"\x1e");
        (!blank).then(|| Frame::new(content, end))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STREAM: &[u8] = b"{\"a\":1}\n\x1e{\"b\":\"x\\ny\"}\nno json\n\n{\"c\"";

    // The stream is split at every byte: the frames and the positions of their ends must be the
    // same.
    #[test]
    fn frames_do_not_depend_on_how_the_stream_was_split() {
        for cut in 0..=STREAM.len() {
            let mut splitter = FrameSplitter::default();
            let mut seen = Vec::new();
            splitter.push(0, &STREAM[..cut], &mut seen);
            splitter.push(cut, &STREAM[cut..], &mut seen);
            seen.extend(splitter.finish(STREAM.len()));
            let found: Vec<_> = seen.into_iter().map(|frame| (frame.end, frame.json)).collect();
            let expected = [
                (8, json!({"a": 1})),
                (22, json!({"b": "x\ny"})),
                (30, json!("no json")),
                (STREAM.len(), json!("{\"c\"")),
            ];
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    // A frame that never ends must not grow in memory without a limit.
    #[test]
    fn an_endless_frame_is_split_at_the_limit() {
        let mut splitter = FrameSplitter::default();
        let mut seen = Vec::new();
        splitter.push(0, &vec![b'x'; FRAME_MAX], &mut seen);
        assert_eq!(seen.len(), 1);
        assert!(splitter.is_empty());
    }
}
