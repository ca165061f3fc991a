//! Frames of an event stream: JSON texts, one after the other, in the content of a response.

use serde_json::Value;

/// Longest frame that is taken apart; a longer one is passed on as it comes.
const FRAME_MAX: usize = 1024 * 1024;

/// One frame: its bytes as they came, and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    /// The JSON, or a string where it is none.
    pub(crate) json: Value,
}

/// Cuts content into frames, wherever it was cut on its way.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    partial: Vec<u8>,
    /// Something but white space is in it.
    says_something: bool,
}

impl Frames {
    /// Takes more content and gives the frames that are whole by now.
    pub(crate) fn push(&mut self, content: &[u8]) -> Vec<Frame> {
        let mut whole = Vec::new();
        for &byte in content {
            self.partial.push(byte);
            self.says_something |= !byte.is_ascii_whitespace();
            let ends = byte == b'\n' && self.says_something;
            if ends || self.partial.len() >= FRAME_MAX {
                whole.push(read(std::mem::take(&mut self.partial)));
                self.says_something = false;
            }
        }
        whole
    }

    /// What is left when the content has ended in the middle of a frame.
    pub(crate) fn rest(&mut self) -> Option<Frame> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| read(rest))
    }
}

/// A record separator before the text (RFC 7464) is no part of what it says.
fn read(bytes: Vec<u8>) -> Frame {
    let text = bytes.trim_ascii();
    let text = text.strip_prefix(b"\x1e").unwrap_or(text);
    let json = serde_json::from_slice(text)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(text).into_owned()));
    Frame { bytes, json }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STREAM: &[u8] = b"{\"a\":1}\n\x1e{\"b\":\"x\\ny\"}\nno json\n\n{\"c\"";

    // Wherever the stream is cut on its way, the frames are the same and no byte is lost.
    #[test]
    fn frames_do_not_depend_on_where_the_stream_was_cut() {
        for cut in 0..=STREAM.len() {
            let mut frames = Frames::default();
            let mut seen = frames.push(&STREAM[..cut]);
            seen.extend(frames.push(&STREAM[cut..]));
            seen.extend(frames.rest());
            let said: Vec<_> = seen.iter().map(|frame| frame.json.clone()).collect();
            let expected =
                [json!({"a": 1}), json!({"b": "x\ny"}), json!("no json"), json!("{\"c\"")];
            assert_eq!(said, expected, "cut at {cut}");
            let bytes: Vec<_> = seen.into_iter().flat_map(|frame| frame.bytes).collect();
            assert_eq!(bytes, STREAM, "cut at {cut}");
        }
    }
}
