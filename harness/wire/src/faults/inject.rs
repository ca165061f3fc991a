//! Puts frames into event streams that the engine has not sent.

use std::sync::Mutex;

use tokio::sync::mpsc;

use crate::wire::Wire;

/// Injected frames that wait for their place in one stream.
const WAITING_MAX: usize = 64;

impl Wire {
    /// Puts a frame into every event stream that is open now, between two frames of the engine, and
    /// tells into how many; where a stream stands at a gate, behind that. The bytes are passed on as
    /// they are, with their final newline or without, JSON or not. A stream whose head has promised
    /// its length, or in which 64 of them wait already, is not counted.
    pub fn inject(&self, name: &str, frame: &[u8]) -> usize {
        let injection = Injection { rule: name.to_owned(), content: frame.to_owned() };
        self.shared.rules.injections.put(&injection)
    }
}

/// A frame on its way into a stream.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    pub(crate) rule: String,
    pub(crate) content: Vec<u8>,
}

/// The streams that are open.
#[derive(Debug, Default)]
pub(crate) struct Injections {
    streams: Mutex<Vec<mpsc::Sender<Injection>>>,
}

impl Injections {
    /// What is put into a stream from now on, until the receiver is dropped.
    pub(crate) fn open(&self) -> mpsc::Receiver<Injection> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let mut streams = self.streams.lock().expect("nothing panics while it holds the streams");
        streams.retain(|stream| !stream.is_closed());
        streams.push(sender);
        receiver
    }

    fn put(&self, injection: &Injection) -> usize {
        let streams = self.streams.lock().expect("nothing panics while it holds the streams");
        streams.iter().filter(|stream| stream.try_send(injection.clone()).is_ok()).count()
    }
}
