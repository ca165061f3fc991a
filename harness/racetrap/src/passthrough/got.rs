//! What a client has got: all of it by its hash, and the history told of it in bounded space.

use racetrap_history::LogEvent;
use sha2::{Digest as _, Sha256};

/// So many messages are told of one by one; more of them together.
const TOLD_SINGLY: u64 = 64;

/// Messages that are told of together have so many bytes, or are the last.
const TOGETHER_BYTES: u64 = 256 << 10;

/// So much of the text of the first of them is told.
const TEXT_SHOWN: usize = 80;

/// What has come, up to now.
#[derive(Default)]
pub(super) struct Got {
    hash: Sha256,
    bytes: u64,
    told: u64,
    waiting: Waiting,
}

/// What has come, and was not told yet.
#[derive(Default)]
struct Waiting {
    messages: u64,
    texts: u64,
    bytes: u64,
    lines: u64,
    text: String,
}

impl Got {
    /// Takes a message; gives what is to be told now.
    pub(super) fn take(&mut self, bytes: &[u8], is_text: bool) -> Option<LogEvent> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let waiting = &mut self.waiting;
        if waiting.messages == 0 {
            let begin = &bytes[..bytes.len().min(TEXT_SHOWN)];
            waiting.text = String::from_utf8_lossy(begin).into_owned();
        }
        waiting.messages += 1;
        waiting.texts += u64::from(is_text);
        waiting.bytes += bytes.len() as u64;
        waiting.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        if self.told < TOLD_SINGLY || waiting.bytes >= TOGETHER_BYTES { self.rest() } else { None }
    }

    /// Whether anything has come that was not told yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.messages > 0
    }

    /// What has come, and was not told yet.
    pub(super) fn rest(&mut self) -> Option<LogEvent> {
        let Waiting { messages, texts, bytes, lines, text } = std::mem::take(&mut self.waiting);
        self.told += messages;
        (messages > 0).then_some(LogEvent::Received { messages, texts, bytes, lines, text })
    }

    /// How many bytes have come, and their SHA-256.
    pub(super) fn total(&self) -> (u64, String) {
        (self.bytes, hexadecimal(self.hash.clone()))
    }
}

/// A hash in hexadecimal digits.
pub(super) fn hexadecimal(hash: Sha256) -> String {
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(event: Option<LogEvent>) -> u64 {
        match event {
            Some(LogEvent::Received { bytes, .. }) => bytes,
            None => 0,
            other => panic!("{other:?} is no receipt"),
        }
    }

    // However the messages are told of, each byte is told of once, and the hash is that of the whole
    // (the digest is of 64 times `ab`, by another program).
    #[test]
    fn every_byte_is_told_of_once() {
        let mut got = Got::default();
        let told: u64 = (0..TOLD_SINGLY).map(|_| bytes_of(got.take(b"ab", false))).sum();
        assert_eq!(told, 2 * TOLD_SINGLY);
        assert_eq!(got.total(), (told, DIGEST.to_owned()));
        let big = vec![b'\n'; 200 << 10];
        assert_eq!(got.take(&big, true), None);
        let Some(LogEvent::Received { messages, texts, bytes, lines, .. }) = got.take(&big, false)
        else {
            panic!("so much is told of")
        };
        assert_eq!((messages, texts, bytes, lines), (2, 1, 400 << 10, 400 << 10));
        assert_eq!(got.take(b"c", false), None);
        assert_eq!(bytes_of(got.rest()), 1);
        assert_eq!(got.rest(), None);
    }

    const DIGEST: &str = "31a4d733c8bc88da3d5d77e5645b7d20c3c4e30825438820c4df72d7eda8e469";
}
