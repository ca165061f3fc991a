//! Frames that a test injects, on their way into the open event streams.

use std::sync::Mutex;

use tokio::sync::mpsc;

/// Most injected frames that wait for one stream.
const WAITING_MAX: usize = 64;

/// A frame to insert into an event stream.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    /// The name under which the wire reports it.
    pub(crate) rule: String,
    /// The bytes of the frame.
    pub(crate) content: Vec<u8>,
}

/// A queue for each open event stream.
#[derive(Debug, Default)]
pub(crate) struct InjectionQueues {
    streams: Mutex<Vec<mpsc::Sender<Injection>>>,
}

impl InjectionQueues {
    /// Opens the queue of a new stream. Dropping the receiver closes it.
    pub(crate) fn open(&self) -> mpsc::Receiver<Injection> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let mut streams = self.streams.lock().expect("no code panics while it holds the streams");
        // Removes the queues of streams that have ended, so that the list does not grow for ever.
        streams.retain(|stream| !stream.is_closed());
        streams.push(sender);
        receiver
    }

    /// Puts the frame into the queue of every open stream, and returns the number of queues that
    /// had room.
    pub(crate) fn put(&self, injection: &Injection) -> usize {
        let streams = self.streams.lock().expect("no code panics while it holds the streams");
        // Without waiting: a stream that a gate holds does not read its queue.
        streams.iter().filter(|stream| stream.try_send(injection.clone()).is_ok()).count()
    }
}
