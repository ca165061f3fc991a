//! Lets messages between daemon and engine, writes of the daemon to its API, and the steps of the scenario go on
//! one at a time.
//!
//! Every message is stopped, and every write if the world has the harness's admission. As soon as no process of the world is about to send another one, a scheduler
//! chooses one of the messages and writes that stand there, or the scenario's next step. So an order of the daemon's
//! threads comes from a seed, although nothing in the daemon is changed.
//!
//! No process is about to send a message when the daemon and the engine have answered what they were given,
//! and none of their threads was given a CPU between two looks. A process with threads that never rest would
//! keep that from coming, so each wait is bounded; what a bound cut short is counted, and noted at the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use racetrap_history::{DAEMON_PARTS, ProcessState, SERIAL, Serially, What};
use racetrap_search::Serial;
use racetrap_wire::{HoldEach, StoppedMessage};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::daemon::{HoldEachWrite, StoppedWrite};
use crate::recorder::Recorder;
use crate::run::scene::Scene;
use crate::sys::Identity;
use crate::wait::seen_within;

/// The stream of the scenario's steps, and the name of each of them in an order.
const STEPS: &str = "a step";

/// How long processes may be busy before the next choice.
const BUSY_MAX: Duration = Duration::from_millis(60);

/// How long an answer, or the end of a step, is waited for. A step may wait for messages itself.
const ANSWER_MAX: Duration = Duration::from_millis(400);

/// How long the next message of a given order is waited for.
const ORDER_MAX: Duration = Duration::from_secs(2);

/// How long messages go on one at a time, and how many do. A daemon gives up a request after some seconds.
const LIMIT: Duration = Duration::from_secs(20);
const CHOICES_MAX: u32 = 2_000;

/// The part of a scenario in which messages and steps take turns. Dropped, everything goes on by itself.
pub(super) struct Turns {
    asks: mpsc::UnboundedSender<oneshot::Sender<()>>,
    _driver: JoinSet<()>,
}

impl Turns {
    pub(super) fn begin(scene: &Scene, how: &Serially) -> Self {
        let (asks, asked) = mpsc::unbounded_channel();
        let driver = Driver {
            each: scene.world.wire.hold_each(SERIAL),
            writes: scene.world.installed_admission().map(|it| it.hold_each(SERIAL)),
            asked,
            recorder: scene.recorder().clone(),
            processes: processes(scene.recorder()),
            scheduler: Serial::new(how.seed, how.depth, how.length),
            order: how.order.iter().cloned().collect(),
            standing: Vec::new(),
            asking: None,
            streams: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            stepped: None,
            hurried: 0,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(driver.run());
        Self { asks, _driver: tasks }
    }

    /// Waits until it is the next step's turn.
    pub(super) async fn wait(&self) {
        let (go, goes) = oneshot::channel();
        // A driver that has ended lets everything go on.
        if self.asks.send(go).is_ok() {
            let _ = goes.await;
        }
    }
}

/// The processes that send messages.
fn processes(recorder: &Recorder) -> Vec<Identity> {
    let mut last = BTreeMap::new();
    for record in recorder.history() {
        if let What::Process { name, pid, started, state: ProcessState::Started } = record.what
            && (name == "engine" || DAEMON_PARTS.contains(&name.as_str()))
            && !record.neighbour
        {
            last.insert(name, Identity { pid, started });
        }
    }
    last.into_values().collect()
}

/// What waits for its turn.
enum Stopped {
    Message(StoppedMessage),
    Write(StoppedWrite),
}

impl Stopped {
    fn name(&self) -> &str {
        match self {
            Self::Message(message) => message.name(),
            Self::Write(write) => write.name(),
        }
    }

    /// Whether somebody still waits for it.
    fn is_there(&self) -> bool {
        match self {
            Self::Message(message) => message.is_there(),
            Self::Write(write) => write.is_there(),
        }
    }
}

/// The next write; never, if none is stopped. Cancel-safe: it stays in its queue.
async fn next_write(writes: &mut Option<HoldEachWrite>) -> StoppedWrite {
    match writes {
        Some(writes) => writes.next().await,
        None => std::future::pending().await,
    }
}

struct Driver {
    each: HoldEach,
    /// Nothing if the world has no admission.
    writes: Option<HoldEachWrite>,
    asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    recorder: Recorder,
    processes: Vec<Identity>,
    scheduler: Serial,
    order: VecDeque<String>,
    standing: Vec<Stopped>,
    asking: Option<oneshot::Sender<()>>,
    /// Streams of messages by the number of their connection, in the order in which they came.
    streams: BTreeMap<u64, String>,
    /// When the request of a connection went on whose answer has not come.
    unanswered: BTreeMap<u64, Instant>,
    /// When a step went on; nothing once the next one asks.
    stepped: Option<Instant>,
    /// How many choices a bound has hurried.
    hurried: u32,
}

impl Driver {
    async fn run(mut self) {
        let until = Instant::now() + LIMIT;
        let mut choices = 0;
        while choices < CHOICES_MAX && Instant::now() < until {
            self.become_quiet().await;
            if self.standing.is_empty() && self.asking.is_none() {
                if tokio::time::timeout_at(until, self.arrive()).await.is_err() {
                    break;
                }
                continue;
            }
            choices += 1;
            let next = match self.ordered().await {
                Some(next) => next,
                None => self.chosen(),
            };
            self.go_on(next);
        }
        let hurried = self.hurried;
        self.recorder.note(format!(
            "one at a time, {choices} messages and steps have gone on, {hurried} of them while a \
             process was busy; from here on everything does"
        ));
    }

    /// Waits for a message, a write or a step. Cancel-safe: all stay in their queues.
    async fn arrive(&mut self) {
        tokio::select! {
            stopped = self.each.next() => self.take(stopped),
            write = next_write(&mut self.writes) => self.standing.push(Stopped::Write(write)),
            Some(go) = self.asked.recv() => self.ask(go),
        }
    }

    /// Takes what has come, and forgets what is gone. Returns whether there was anything.
    fn take_all(&mut self) -> bool {
        let before = self.standing.len();
        let mut any = false;
        while let Some(stopped) = self.each.try_next() {
            self.take(stopped);
            any = true;
        }
        while let Some(write) = self.writes.as_mut().and_then(HoldEachWrite::try_next) {
            self.standing.push(Stopped::Write(write));
            any = true;
        }
        while let Ok(go) = self.asked.try_recv() {
            self.ask(go);
            any = true;
        }
        self.standing.retain(Stopped::is_there);
        any || self.standing.len() < before
    }

    fn take(&mut self, stopped: StoppedMessage) {
        let connection = stopped.connection();
        let number = self.streams.len() + 1;
        self.streams.entry(connection).or_insert_with(|| format!("connection {number}"));
        self.unanswered.remove(&connection);
        self.standing.push(Stopped::Message(stopped));
    }

    fn ask(&mut self, go: oneshot::Sender<()>) {
        self.stepped = None;
        self.asking = Some(go);
    }

    /// Waits until no process is about to send a message.
    async fn become_quiet(&mut self) {
        let mut last = None;
        let rests = seen_within(ANSWER_MAX + BUSY_MAX, || {
            let came = self.take_all();
            let late = |since: &Instant| since.elapsed() < ANSWER_MAX;
            let is_waited_for =
                self.unanswered.values().any(late) || self.stepped.as_ref().is_some_and(late);
            let turns: Vec<_> = self.processes.iter().map(|process| process.turns()).collect();
            let rests = last.replace(turns.clone()) == Some(turns) && !came;
            rests && !is_waited_for
        });
        if !rests.await {
            self.hurried += 1;
        }
    }

    /// The next of a given order, if it comes in time. After the first one that does not, the seed decides.
    async fn ordered(&mut self) -> Option<String> {
        let wanted = self.order.pop_front()?;
        let came = seen_within(ORDER_MAX, || {
            self.take_all();
            (wanted == STEPS && self.asking.is_some())
                || self.standing.iter().any(|stopped| stopped.name() == wanted)
        });
        if came.await {
            return Some(wanted);
        }
        self.recorder.note(format!("`{wanted}` did not come, so from here on the seed decides"));
        self.order.clear();
        None
    }

    /// What the scheduler chooses: the name of a message, or that of a step.
    fn chosen(&mut self) -> String {
        let mut streams: BTreeSet<String> =
            self.standing.iter().map(|stopped| self.stream(stopped)).collect();
        streams.extend(self.asking.iter().map(|_| STEPS.to_owned()));
        let chosen = self.scheduler.choose(&streams).unwrap_or_default();
        let of_chosen = self.standing.iter().find(|stopped| self.stream(stopped) == chosen);
        of_chosen.map_or_else(|| STEPS.to_owned(), |stopped| stopped.name().to_owned())
    }

    /// The stream of a message is its connection, and that of a write is its writer.
    fn stream(&self, stopped: &Stopped) -> String {
        match stopped {
            Stopped::Message(message) => self.streams[&message.connection()].clone(),
            Stopped::Write(write) => format!("writes by {}", write.writer()),
        }
    }

    fn go_on(&mut self, name: String) {
        let at = self.standing.iter().position(|stopped| stopped.name() == name);
        self.recorder.append(What::Turn { of: name });
        match at.map(|at| self.standing.remove(at)) {
            // A write goes on when it is dropped.
            Some(Stopped::Write(write)) => drop(write),
            Some(Stopped::Message(stopped)) => {
                // Only a request is answered; the wire's own gate names say which is one.
                if stopped.is_request() {
                    self.unanswered.insert(stopped.connection(), Instant::now());
                }
                stopped.release();
            }
            None => {
                self.stepped = Some(Instant::now());
                if let Some(go) = self.asking.take() {
                    // The step may have been given up.
                    let _ = go.send(());
                }
            }
        }
    }
}
