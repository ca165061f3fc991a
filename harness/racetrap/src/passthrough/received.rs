//! The bytes that a client has received: their hash, and records of bounded size about them.
//!
//! A log may have a hundred MiB in small messages. So the first messages are recorded one by one,
//! and the later ones in batches.

use racetrap_history::LogEvent;
use sha2::{Digest as _, Sha256};

/// How many messages are recorded one by one.
const SINGLE_MESSAGES: u64 = 64;

/// How many bytes a batch of messages has at least, unless nothing more has come.
const BATCH_BYTES: u64 = 256 << 10;

/// How much text of a batch's first message is recorded, in bytes.
const TEXT_BYTES: usize = 80;

/// All that a client has received up to now.
#[derive(Default)]
pub(super) struct Received {
    hash: Sha256,
    bytes: u64,
    recorded_messages: u64,
    batch: Batch,
}

/// Messages that are not recorded yet.
#[derive(Default)]
struct Batch {
    messages: u64,
    texts: u64,
    bytes: u64,
    lines: u64,
    text: String,
}

impl Received {
    /// Adds a message. Returns the event that must be recorded now, if any.
    pub(super) fn add(&mut self, bytes: &[u8], is_text: bool) -> Option<LogEvent> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let batch = &mut self.batch;
        if batch.messages == 0 {
            let beginning = &bytes[..bytes.len().min(TEXT_BYTES)];
            batch.text = String::from_utf8_lossy(beginning).into_owned();
        }
        batch.messages += 1;
        batch.texts += u64::from(is_text);
        batch.bytes += bytes.len() as u64;
        batch.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        // The first messages at once, so that a short log is in the history message by message.
        let is_due = self.recorded_messages < SINGLE_MESSAGES || batch.bytes >= BATCH_BYTES;
        if is_due { self.take_batch() } else { None }
    }

    /// Whether there are messages that are not recorded yet.
    pub(super) fn has_batch(&self) -> bool {
        self.batch.messages > 0
    }

    /// The event for the messages that are not recorded yet, if there are any.
    pub(super) fn take_batch(&mut self) -> Option<LogEvent> {
        let Batch { messages, texts, bytes, lines, text } = std::mem::take(&mut self.batch);
        self.recorded_messages += messages;
        (messages > 0).then_some(LogEvent::Received { messages, texts, bytes, lines, text })
    }

    /// How many bytes were received, and their SHA-256.
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
            other => panic!("{other:?} is not `Received`"),
        }
    }

    // Each byte must be in one event, whether its message is recorded alone or in a batch. The hash
    // must be that of all bytes (the digest of 64 times `ab` was computed by another program).
    #[test]
    fn each_byte_is_recorded_once() {
        let mut received = Received::default();
        let recorded: u64 =
            (0..SINGLE_MESSAGES).map(|_| bytes_of(received.add(b"ab", false))).sum();
        assert_eq!(recorded, 2 * SINGLE_MESSAGES);
        assert_eq!(received.total(), (recorded, DIGEST.to_owned()));
        let big = vec![b'\n'; 200 << 10];
        assert_eq!(received.add(&big, true), None);
        let Some(LogEvent::Received { messages, texts, bytes, lines, .. }) =
            received.add(&big, false)
        else {
            panic!("a batch of this size is recorded")
        };
        assert_eq!((messages, texts, bytes, lines), (2, 1, 400 << 10, 400 << 10));
        assert_eq!(received.add(b"c", false), None);
        assert_eq!(bytes_of(received.take_batch()), 1);
        assert_eq!(received.take_batch(), None);
    }

    const DIGEST: &str = "31a4d733c8bc88da3d5d77e5645b7d20c3c4e30825438820c4df72d7eda8e469";
}
