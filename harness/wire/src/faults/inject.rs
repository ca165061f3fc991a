//! Inserts frames into event streams that the upstream has not sent.

use crate::injection::Injection;
use crate::wire::Wire;

impl Wire {
    /// Inserts a frame into every event stream that is open now, between two frames of the
    /// upstream, and returns the number of streams. If a gate holds a frame of a stream, the
    /// inserted frame comes behind it.
    ///
    /// The bytes are sent unchanged, with a final newline or without, JSON or not. A stream with a
    /// `Content-Length` is not counted, nor is one for which 64 frames wait already.
    pub fn inject(&self, name: &str, frame: &[u8]) -> usize {
        let injection = Injection { rule: name.to_owned(), content: frame.to_owned() };
        self.shared.injections.put(&injection)
    }
}
