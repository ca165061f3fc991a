//! One client of the passthrough, and what it sees.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use racetrap_history::{Codes, LeaveHow, LogClient, LogEvent, What};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};

use super::asking::{Answer, Asking, Socket};
use super::got::Got;
use crate::chain::chain;
use crate::recorder::Recorder;

/// More than a daemon takes from a client (contract 6.1: 4096 bytes).
const OVERSIZE: usize = 5000;

/// A client, from its request on. Dropped, it ends its connection without a word.
pub(crate) struct Client {
    story: Story,
    got: Arc<Mutex<Got>>,
    /// ID of the container whose log it asked for.
    container: Option<String>,
    told: UnboundedSender<Told>,
    _task: JoinSet<()>,
}

/// What a client is told to do.
enum Told {
    Read,
    Leave(LeaveHow),
}

/// What a client asks for, and what the daemon promises it.
pub(crate) struct Wanted {
    pub(crate) asking: Asking,
    pub(crate) container: Option<String>,
    pub(crate) promised: Codes,
    pub(crate) reads: bool,
}

/// Tells the history of one client.
#[derive(Clone)]
struct Story {
    client: String,
    recorder: Recorder,
}

impl Story {
    fn tell(&self, event: LogEvent) {
        let client = self.client.clone();
        self.recorder.append(What::LogClient(LogClient { client, event }));
    }
}

impl Client {
    /// Asks, and returns when there is an answer, or after `limit`: what came of it is in the history.
    pub(crate) async fn open(
        client: String,
        wanted: Wanted,
        limit: Duration,
        recorder: &Recorder,
    ) -> Self {
        let Wanted { asking, container, promised, reads } = wanted;
        let story = Story { client, recorder: recorder.clone() };
        let target = asking.target().to_owned();
        story.tell(LogEvent::Asked { target, container: container.clone(), promised, reads });
        let (told, commands) = unbounded_channel();
        let got = Arc::<Mutex<Got>>::default();
        let mut task = JoinSet::new();
        match timeout(limit, asking.ask()).await {
            Ok(Ok(Answer::Socket(socket))) => {
                story.tell(LogEvent::Answered { status: 101, text: String::new() });
                let (story, got) = (story.clone(), got.clone());
                task.spawn(Conversation { socket, story, got, reads }.go_on(commands));
            }
            Ok(Ok(Answer::Refused { status, text })) => {
                story.tell(LogEvent::Answered { status, text });
            }
            Ok(Err(reason)) => story.tell(LogEvent::Unanswered { reason }),
            Err(_) => {
                let reason = format!("nothing came within {limit:?}");
                story.tell(LogEvent::Unanswered { reason });
            }
        }
        Self { story, got, container, told, _task: task }
    }

    /// Lets it read from here on.
    pub(crate) fn read(&self) {
        self.story.tell(LogEvent::Reads);
        let _ = self.told.send(Told::Read);
    }

    /// Lets it do something; what comes of it is in the history. One that is not there does nothing.
    pub(crate) fn leave(&self, how: LeaveHow) {
        self.story.tell(LogEvent::Left { how });
        // A client that was refused, or has ended, has nobody who would hear it.
        let _ = self.told.send(Told::Leave(how));
    }

    /// ID of the container whose log it asked for.
    pub(crate) fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }

    /// How many bytes it has got, and their SHA-256; all of them are in the history by then.
    pub(crate) fn total(&self) -> (u64, String) {
        let mut got = lock(&self.got);
        let rest = got.rest();
        let total = got.total();
        drop(got);
        rest.into_iter().for_each(|event| self.story.tell(event));
        total
    }
}

fn lock(got: &Mutex<Got>) -> MutexGuard<'_, Got> {
    got.lock().expect("nothing panics while it holds this")
}

struct Conversation {
    socket: Box<Socket>,
    story: Story,
    got: Arc<Mutex<Got>>,
    reads: bool,
}

/// What moves a conversation on.
enum Stimulus {
    Told(Option<Told>),
    Came(Option<Result<Message, tungstenite::Error>>),
    /// Nothing more has come for now.
    Pause,
}

impl Conversation {
    /// Reads, if it reads at all, and does what it is told, until one side has ended the connection.
    async fn go_on(mut self, mut commands: UnboundedReceiver<Told>) {
        let mut has_ended = false;
        loop {
            let stimulus = tokio::select! {
                biased;
                // Cancel-safe: documented by tokio.
                told = commands.recv() => Stimulus::Told(told),
                // Cancel-safe: what has come of a message stays in the socket.
                came = self.socket.next(), if self.reads => Stimulus::Came(came),
                // What is told of together is told when there is no more of it.
                () = std::future::ready(()), if lock(&self.got).is_waiting() => Stimulus::Pause,
            };
            match stimulus {
                Stimulus::Told(None | Some(Told::Leave(LeaveHow::Drop))) => return,
                Stimulus::Told(Some(Told::Leave(how))) => self.leave(how).await,
                Stimulus::Told(Some(Told::Read)) => self.reads = true,
                Stimulus::Pause => self.tell_rest(),
                Stimulus::Came(Some(Ok(message))) => has_ended |= self.take(message),
                Stimulus::Came(ended) => {
                    if !has_ended {
                        let (reason, not_utf8) = match ended {
                            Some(Err(error)) => (chain(&error), is_of_utf8(&error)),
                            Some(Ok(_)) | None => {
                                ("the connection ended without a word".to_owned(), false)
                            }
                        };
                        self.ended(None, reason, not_utf8);
                    }
                    return;
                }
            }
        }
    }

    /// Does what it must be dropped for, or goes in order. That the other side has gone already is seen
    /// by reading.
    async fn leave(&mut self, how: LeaveHow) {
        match how {
            LeaveHow::Close => drop((*self.socket).close(None).await),
            LeaveHow::HalfClose => drop((*self.socket).get_mut().shutdown().await),
            LeaveHow::Oversize => {
                drop(self.socket.send(Message::binary(vec![0; OVERSIZE])).await);
            }
            // Nothing is said: whoever is told so drops the connection.
            LeaveHow::Drop => {}
        }
    }

    /// Tells of a message; says whether it was the last.
    fn take(&self, message: Message) -> bool {
        let event = match message {
            Message::Binary(bytes) => lock(&self.got).take(&bytes, false),
            Message::Text(text) => lock(&self.got).take(text.as_bytes(), true),
            Message::Close(close) => {
                let reason = close.as_ref().map(|close| close.reason.to_string());
                let code = close.map(|close| u16::from(close.code));
                self.ended(code, reason.unwrap_or_default(), false);
                return true;
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
        };
        event.into_iter().for_each(|event| self.story.tell(event));
        false
    }

    fn tell_rest(&self) {
        let rest = lock(&self.got).rest();
        rest.into_iter().for_each(|event| self.story.tell(event));
    }

    fn ended(&self, code: Option<u16>, reason: String, not_utf8: bool) {
        self.tell_rest();
        self.story.tell(LogEvent::Ended { code, reason, not_utf8 });
    }
}

/// Whether a text message of the other side was not UTF-8.
fn is_of_utf8(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Utf8(_))
}
