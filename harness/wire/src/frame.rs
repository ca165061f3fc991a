//! Frames of an event stream: JSON texts, one after the other, in the content of a response.

use serde_json::Value;

/// Longest frame that is taken apart; of a longer one the parts are frames.
const FRAME_MAX: usize = 1024 * 1024;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Place of the byte behind its last one, in the input in which it ended.
    pub(crate) end: usize,
    /// The JSON, or a string where it is none.
    pub(crate) json: Value,
    /// Its bytes, as they came.
    pub(crate) content: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(content: Vec<u8>, end: usize) -> Self {
        let text = content.trim_ascii();
        // A record separator before the text (RFC 7464) is no part of what it says.
        let text = text.strip_prefix(b"\x1e").unwrap_or(text);
        let json = serde_json::from_slice(text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(text).into_owned()));
        Self { end, json, content }
    }
}

/// Cuts content into frames, wherever it was cut on its way.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    partial: Vec<u8>,
}

impl Frames {
    /// Takes more content, which lies at `at`, and adds the frames that are whole by now.
    pub(crate) fn push(&mut self, at: usize, content: &[u8], whole: &mut Vec<Frame>) {
        let mut end = at;
        for piece in content.split_inclusive(|byte| *byte == b'\n') {
            end += piece.len();
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= FRAME_MAX {
                whole.extend(self.take(end));
            }
        }
    }

    /// What is left when the content has ended in the middle of a frame.
    pub(crate) fn rest(&mut self, end: usize) -> Option<Frame> {
        self.take(end)
    }

    /// No frame has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }

    fn take(&mut self, end: usize) -> Option<Frame> {
        let content = std::mem::take(&mut self.partial);
        let blank = matches!(content.trim_ascii(), b"" | b"\x1e");
        (!blank).then(|| Frame::new(content, end))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STREAM: &[u8] = b"{\"a\":1}\n\x1e{\"b\":\"x\\ny\"}\nno json\n\n{\"c\"";

    // Wherever the stream is cut on its way, the frames and the places where they end are the same.
    #[test]
    fn frames_do_not_depend_on_where_the_stream_was_cut() {
        for cut in 0..=STREAM.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            frames.push(0, &STREAM[..cut], &mut seen);
            frames.push(cut, &STREAM[cut..], &mut seen);
            seen.extend(frames.rest(STREAM.len()));
            let said: Vec<_> = seen.into_iter().map(|frame| (frame.end, frame.json)).collect();
            let expected = [
                (8, json!({"a": 1})),
                (22, json!({"b": "x\ny"})),
                (30, json!("no json")),
                (STREAM.len(), json!("{\"c\"")),
            ];
            assert_eq!(said, expected, "cut at {cut}");
        }
    }

    // A frame that never ends must not be kept for ever.
    #[test]
    fn a_frame_without_end_is_given_up_at_the_limit() {
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        frames.push(0, &vec![b'x'; FRAME_MAX], &mut seen);
        assert_eq!(seen.len(), 1);
        assert!(frames.is_empty());
    }
}
