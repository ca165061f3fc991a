//! One client of the passthrough, from its request to its end.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use racetrap_history::{Codes, LeaveHow, LogClient, LogEvent, What};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{self, Message};

use super::received::Received;
use super::request::{PassthroughRequest, Response, Socket};
use crate::chain::chain;
use crate::recorder::Recorder;

/// Size of a message that is larger than a daemon accepts (contract 6.1: 4096 bytes).
const OVERSIZE: usize = 5000;

/// A client of the passthrough. Dropping it closes its connection without a close frame.
pub(crate) struct Client {
    recorder: ClientRecorder,
    received: Arc<Mutex<Received>>,
    /// ID of the container whose log it asked for.
    container: Option<String>,
    commands: UnboundedSender<Command>,
    _task: JoinSet<()>,
}

/// What a scenario lets a client do.
enum Command {
    Read,
    Leave(LeaveHow),
}

/// What a client asks for, and what the daemon promises.
pub(crate) struct ClientOptions {
    pub(crate) request: PassthroughRequest,
    pub(crate) container: Option<String>,
    /// The status codes that the daemon may answer with.
    pub(crate) promised: Codes,
    /// Whether the client reads from the beginning.
    pub(crate) reads: bool,
}

/// Records the events of one client.
#[derive(Clone)]
struct ClientRecorder {
    client: String,
    recorder: Recorder,
}

impl ClientRecorder {
    fn record(&self, event: LogEvent) {
        let client = self.client.clone();
        self.recorder.append(What::LogClient(LogClient { client, event }));
    }
}

impl Client {
    /// Sends the request and records the response. Returns when there is one, or after `limit`.
    pub(crate) async fn open(
        client: String,
        options: ClientOptions,
        limit: Duration,
        recorder: &Recorder,
    ) -> Self {
        let ClientOptions { request, container, promised, reads } = options;
        let recorder = ClientRecorder { client, recorder: recorder.clone() };
        let target = request.target().to_owned();
        recorder.record(LogEvent::Asked { target, container: container.clone(), promised, reads });
        let (commands, receiver) = unbounded_channel();
        let received = Arc::<Mutex<Received>>::default();
        let mut task = JoinSet::new();
        match request.send(limit).await {
            Ok(Response::WebSocket(socket)) => {
                recorder.record(LogEvent::Answered { status: 101, text: String::new() });
                let (recorder, received) = (recorder.clone(), received.clone());
                task.spawn(Connection { socket, recorder, received, reads }.run(receiver));
            }
            Ok(Response::Refused { status, text }) => {
                recorder.record(LogEvent::Answered { status, text });
            }
            Err(reason) => recorder.record(LogEvent::Unanswered { reason }),
        }
        Self { recorder, received, container, commands, _task: task }
    }

    /// Lets the client read from here on.
    pub(crate) fn read(&self) {
        self.recorder.record(LogEvent::Reads);
        self.send(Command::Read);
    }

    /// Lets the client leave. Its end is recorded when it happens.
    pub(crate) fn leave(&self, how: LeaveHow) {
        self.recorder.record(LogEvent::Left { how });
        self.send(Command::Leave(how));
    }

    fn send(&self, command: Command) {
        // An error means that the client has no connection: it was refused, or has ended. Then
        // there is nothing to do.
        let _ = self.commands.send(command);
    }

    /// ID of the container whose log it asked for.
    pub(crate) fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }

    /// How many bytes the client has received, and their SHA-256. Records those that are not
    /// recorded yet, so that the history has all of them.
    pub(crate) fn total(&self) -> (u64, String) {
        let mut received = lock(&self.received);
        let batch = received.take_batch();
        let total = received.total();
        drop(received);
        batch.into_iter().for_each(|event| self.recorder.record(event));
        total
    }
}

fn lock(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().expect("nothing panics while it holds this")
}

/// An open WebSocket of a client, in a task.
struct Connection {
    socket: Box<Socket>,
    recorder: ClientRecorder,
    received: Arc<Mutex<Received>>,
    reads: bool,
}

/// What a connection reacts to.
enum Event {
    /// `None`: the client was dropped.
    Command(Option<Command>),
    /// `None`: the connection has ended.
    Message(Option<Result<Message, tungstenite::Error>>),
    /// No further message has come, and some are not recorded yet.
    Idle,
}

impl Connection {
    /// Reads, if the client reads, and carries out commands until one side has ended the
    /// connection.
    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        let mut has_ended = false;
        loop {
            let event = tokio::select! {
                // In this order: a command is carried out before the next message is read, and a
                // batch is recorded only if no message is there.
                biased;
                // Cancel-safe: documented by tokio.
                command = commands.recv() => Event::Command(command),
                // Cancel-safe: the socket keeps what it has read of a message.
                message = self.socket.next(), if self.reads => Event::Message(message),
                () = std::future::ready(()), if lock(&self.received).has_batch() => Event::Idle,
            };
            match event {
                Event::Command(None | Some(Command::Leave(LeaveHow::Drop))) => return,
                Event::Command(Some(Command::Leave(how))) => self.leave(how).await,
                Event::Command(Some(Command::Read)) => self.reads = true,
                Event::Idle => self.record_batch(),
                Event::Message(Some(Ok(message))) => has_ended |= self.take(message),
                Event::Message(ended) => {
                    // After a close frame the end is recorded already.
                    if !has_ended {
                        let (reason, not_utf8) = match ended {
                            Some(Err(error)) => (chain(&error), is_not_utf8(&error)),
                            Some(Ok(_)) | None => {
                                ("the connection ended without a word".to_owned(), false)
                            }
                        };
                        self.record_end(None, reason, not_utf8);
                    }
                    return;
                }
            }
        }
    }

    /// Leaves in order, or breaks the protocol so that the daemon must end the connection. Errors
    /// are ignored: if the other side is gone already, the next read shows it.
    async fn leave(&mut self, how: LeaveHow) {
        match how {
            LeaveHow::Close => drop((*self.socket).close(None).await),
            LeaveHow::HalfClose => drop((*self.socket).get_mut().shutdown().await),
            LeaveHow::Oversize => {
                drop(self.socket.send(Message::binary(vec![0; OVERSIZE])).await);
            }
            // The caller ends the task, which drops the connection.
            LeaveHow::Drop => {}
        }
    }

    /// Records a message. Returns whether it is a close frame.
    fn take(&self, message: Message) -> bool {
        let event = match message {
            Message::Binary(bytes) => lock(&self.received).add(&bytes, false),
            Message::Text(text) => lock(&self.received).add(text.as_bytes(), true),
            Message::Close(close) => {
                let reason = close.as_ref().map(|close| close.reason.to_string());
                let code = close.map(|close| u16::from(close.code));
                self.record_end(code, reason.unwrap_or_default(), false);
                return true;
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
        };
        event.into_iter().for_each(|event| self.recorder.record(event));
        false
    }

    fn record_batch(&self) {
        let batch = lock(&self.received).take_batch();
        batch.into_iter().for_each(|event| self.recorder.record(event));
    }

    fn record_end(&self, code: Option<u16>, reason: String, not_utf8: bool) {
        self.record_batch();
        self.recorder.record(LogEvent::Ended { code, reason, not_utf8 });
    }
}

/// Whether the connection broke because a text message was not UTF-8.
fn is_not_utf8(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Utf8(_))
}
