//! Stops every message, and hands each to a test that lets them go one by one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::call::Call;
use crate::rules::latch::{Latch, StoppedMessage};
use crate::rules::matcher::Message;

/// The side of the wire: makes a latch for each message.
#[derive(Debug)]
pub(crate) struct Line {
    name: String,
    arrivals: mpsc::UnboundedSender<StoppedMessage>,
    /// How many messages of each kind have come.
    counts: Mutex<BTreeMap<String, u32>>,
}

impl Line {
    /// A line, and where its messages arrive. The queue needs no bound: each connection has one message
    /// in it at most.
    pub(crate) fn new(name: &str) -> (Arc<Self>, mpsc::UnboundedReceiver<StoppedMessage>) {
        let (arrivals, stopped) = mpsc::unbounded_channel();
        let line = Self { name: name.to_owned(), arrivals, counts: Mutex::default() };
        (Arc::new(line), stopped)
    }

    /// The latch of the next message. Its name says which message of its kind it is.
    pub(crate) fn latch(&self, call: &Call, message: Message<'_>) -> Arc<Latch> {
        let what = match message {
            Message::Request(_) => "request",
            Message::Response(_) => "response",
            Message::Frame(_) => "frame",
        };
        let route = call.route.template.unwrap_or("another route");
        let kind = format!("{what} {} {route}", call.method);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind.clone()).or_default();
        *count += 1;
        Latch::on_line(&format!("{} {kind} {count}", self.name), self.arrivals.clone())
    }
}
