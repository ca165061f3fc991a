//! Does one step at a time to a world, and says whose failure it is where one cannot be done.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{
    AppStep, Await, Blame, EngineOp, GateName, Hold, Match, MirrorKey, Phase, Point, SetStep, Step,
    Streams, View, What, WireMessage, WireWhat,
};
use racetrap_wire::{Gate, Matcher, Refusal, RuleGuard};

use crate::chain::chain;
use crate::daemon::{ApiError, DaemonError, Resource};
use crate::engine::{EngineError, TruthError, WorkloadError};
use crate::recorder::Recorder;
use crate::sys::Signal;
use crate::wait::until;
use crate::world::World;

/// A step that could not be done.
#[derive(Debug)]
pub(super) struct StepError {
    pub(super) blame: Blame,
    pub(super) why: String,
}

impl StepError {
    /// The harness was told to stop.
    pub(super) fn stopped(signal: &str) -> Self {
        Self { blame: Blame::World, why: format!("the harness was told to stop by {signal}") }
    }

    fn by(blame: Blame, error: &dyn std::error::Error) -> Self {
        Self { blame, why: chain(error) }
    }
}

macro_rules! world_errors {
    ($($error:ty),+) => {
        $(impl From<$error> for StepError {
            fn from(error: $error) -> Self {
                Self::by(Blame::World, &error)
            }
        })+
    };
}
world_errors!(ApiError, DaemonError, EngineError, TruthError, WorkloadError);

/// A rule that answers in the engine's place, and by what name the wire tells of it.
struct Answering {
    rule: String,
    _armed: RuleGuard,
}

/// A world, and what the scenario has armed in it.
pub(super) struct Runner {
    pub(super) world: World,
    pub(super) deadline: Duration,
    pub(super) checkpoints: u32,
    recorder: Recorder,
    gates: BTreeMap<GateName, Gate>,
    waiting: Vec<Hold>,
    answers: Vec<Answering>,
    released: BTreeSet<GateName>,
    refusing: Option<Refusal>,
}

impl Runner {
    pub(super) fn new(world: World, deadline: Duration, recorder: Recorder) -> Self {
        Self {
            world,
            deadline,
            checkpoints: 0,
            recorder,
            gates: BTreeMap::new(),
            waiting: Vec::new(),
            answers: Vec::new(),
            released: BTreeSet::new(),
            refusing: None,
        }
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Opens everything that is closed, and closes the world.
    pub(super) async fn close(self) {
        drop((self.gates, self.answers, self.refusing));
        self.world.close().await;
    }

    /// Does one step; after one that changes what the engine holds, the truth is asked anew.
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), StepError> {
        let workload = &mut self.world.workload;
        match step {
            Step::App(app) => return self.app(app).await,
            Step::Set(set) => return self.set(set).await,
            Step::Hold(hold) => return self.hold(hold),
            Step::Reached(gate) => return self.reached(gate).await,
            Step::Release(gate) => return self.release(gate),
            Step::Answer { status, on, times } => return self.answer(*status, on, *times),
            Step::Cut(_) | Step::Refuse | Step::Accept => return self.disturb(step),
            Step::Await(level) => return self.await_level(level).await,
            Step::Settle => return self.settle().await,
            Step::Engine(op) => return self.engine(*op).await,
            Step::LoadImage { image, tags } => workload.load_image(image, tags).await?,
            Step::Tag { image, tag } => workload.tag(image, tag).await?,
            Step::Untag { tag, force } => workload.remove_image(tag, *force).await?,
            Step::RemoveImage { image, force } => {
                let id = workload.id(image)?.to_owned();
                workload.remove_image(&id, *force).await?;
            }
            Step::CreateContainer { name, image, start } => {
                workload.create_container(name, image, *start).await?;
            }
            Step::Container { name, op } => workload.change_container(name, *op).await?,
            Step::RemoveContainer { name } => workload.remove_container(name).await?,
            Step::CreateVolume { name } => workload.create_volume(name).await?,
            Step::RemoveVolume { name } => workload.remove_volume(name).await?,
        }
        Ok(self.world.truth.refresh().await?)
    }

    fn answer(&mut self, status: u16, on: &Match, times: Option<u32>) -> Result<(), StepError> {
        let matcher = self.matcher(on)?;
        let rule = format!("answer {status}, rule {}", self.answers.len() + 1);
        let armed = self.world.wire.answer(&rule, matcher, status, times);
        self.answers.push(Answering { rule, _armed: armed });
        Ok(())
    }

    /// A fault that did not happen shows nothing: a run that goes on without it would be no proof.
    pub(super) fn require_answers(&self) -> Result<(), StepError> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let history = self.recorder.history();
        let fired = |name: &str| {
            history.iter().any(|record| {
                let What::Wire(WireMessage { event, .. }) = &record.what else { return false };
                matches!(event, WireWhat::Faulted { rule, .. } if rule == name)
            })
        };
        match self.answers.iter().find(|answering| !fired(&answering.rule)) {
            None => Ok(()),
            Some(Answering { rule, .. }) => Err(StepError {
                blame: Blame::Schedule,
                why: format!("`{rule}` fitted no message, so that the fault did not happen"),
            }),
        }
    }

    /// What the wire does at once, to whatever connections there are.
    fn disturb(&mut self, step: &Step) -> Result<(), StepError> {
        let wire = &self.world.wire;
        let Step::Cut(streams) = step else {
            self.refusing = matches!(step, Step::Refuse).then(|| wire.refuse());
            return Ok(());
        };
        let cut = wire.cut(match streams {
            Streams::Events => racetrap_wire::Streams::Events,
            Streams::All => racetrap_wire::Streams::All,
        });
        if cut > 0 {
            return Ok(());
        }
        let why = "there was no connection that could be cut".to_owned();
        Err(StepError { blame: Blame::Schedule, why })
    }

    async fn engine(&mut self, op: EngineOp) -> Result<(), StepError> {
        let World { engine, tasks, .. } = &mut self.world;
        match op {
            EngineOp::Kill => engine.end(Signal::KILL).await?,
            EngineOp::Stop => engine.end(Signal::TERM).await?,
            EngineOp::Start => {
                engine.restart(&mut tasks.keepers, &self.recorder).await?;
                self.world.truth.refresh().await?;
            }
            EngineOp::Freeze => engine.freeze().await?,
            EngineOp::Thaw => engine.thaw()?,
        }
        Ok(())
    }

    async fn app(&mut self, app: &AppStep) -> Result<(), StepError> {
        let properties = BTreeMap::from([("running".to_owned(), app.running.to_string())]);
        self.set(&SetStep { properties, wait: app.wait, exit: 0 }).await
    }

    async fn set(&mut self, set: &SetStep) -> Result<(), StepError> {
        let properties: Vec<_> =
            set.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let deadline = set.wait.then_some(self.deadline);
        let run = self.world.daemon.set(&properties, deadline).await?;
        self.world.api.list(Resource::Apps, &self.recorder).await?;
        if run.exit == Some(set.exit) {
            return Ok(());
        }
        let seen = run.exit.map_or_else(|| "no code".to_owned(), |code| code.to_string());
        let why = format!(
            "`{}` exited with {seen}, not {}; it said: {}",
            run.arguments.join(" "),
            set.exit,
            run.stderr.trim()
        );
        Err(self.of_daemon(why))
    }

    fn hold(&mut self, hold: &Hold) -> Result<(), StepError> {
        if hold.after.as_ref().is_some_and(|after| !self.released.contains(after)) {
            self.waiting.push(hold.clone());
            return Ok(());
        }
        self.arm(hold)
    }

    fn arm(&mut self, hold: &Hold) -> Result<(), StepError> {
        let matcher = self.matcher(&hold.on)?;
        let point = match hold.at {
            Point::Request => racetrap_wire::Point::Request,
            Point::Response => racetrap_wire::Point::Response,
            Point::Frame => racetrap_wire::Point::Frame,
        };
        let gate = self.world.wire.hold(&hold.gate.0, matcher, point);
        self.gates.insert(hold.gate.clone(), gate);
        Ok(())
    }

    async fn reached(&mut self, name: &GateName) -> Result<(), StepError> {
        let gate = self.gates.get(name).expect("the schedule was checked: armed before reached");
        match gate.reached(self.deadline).await {
            Ok(()) => Ok(()),
            Err(error) => Err(StepError::by(Blame::Schedule, &error)),
        }
    }

    /// What counts from this release on is armed before it, so that it misses nothing.
    fn release(&mut self, name: &GateName) -> Result<(), StepError> {
        let (due, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|hold| hold.after.as_ref() == Some(name));
        self.waiting = waiting;
        self.released.insert(name.clone());
        for hold in Vec::<Hold>::into_iter(due) {
            self.arm(&hold)?;
        }
        let gate =
            self.gates.remove(name).expect("the schedule was checked: armed before released");
        gate.release();
        Ok(())
    }

    /// The wire's form of what a scenario names, with `$NAME` replaced by the engine's ID.
    fn matcher(&self, on: &Match) -> Result<Matcher, StepError> {
        let mut matcher = Matcher::default();
        matcher.method.clone_from(&on.method);
        matcher.route.clone_from(&on.route);
        matcher.query.clone_from(&on.query);
        matcher.body.clone_from(&on.body);
        matcher.frame.clone_from(&on.frame);
        matcher.nth = on.nth;
        matcher.phase = on.phase.map(|phase| match phase {
            Phase::Bootstrap => racetrap_wire::Phase::Bootstrap,
            Phase::Steady => racetrap_wire::Phase::Steady,
            Phase::Reconnect => racetrap_wire::Phase::Reconnect,
        });
        for (name, value) in &on.params {
            let value = match value.strip_prefix('$') {
                Some(alias) => self.world.workload.id(alias)?.to_owned(),
                None => value.clone(),
            };
            matcher.params.insert(name.clone(), value);
        }
        Ok(matcher)
    }

    async fn await_level(&self, level: &Await) -> Result<(), StepError> {
        self.until(format!("{level:?}"), |view| reached(level, view)).await.map_err(|error| {
            // Only what the engine holds, or the App was told, is the daemon's to show.
            let promised = self.recorder.with_view(|view| is_promised(level, view));
            match (error.blame, promised) {
                (Blame::Daemon, false) => StepError { blame: Blame::Schedule, ..error },
                _ => error,
            }
        })
    }

    /// Waits for what the daemon must reach by itself, for as long as its world stands.
    pub(super) async fn until(
        &self,
        what: String,
        mut reached: impl FnMut(&View) -> bool,
    ) -> Result<(), StepError> {
        let waited = until(what, self.deadline, &self.recorder, |view| {
            if let Some(end) = world_end(view) {
                return ControlFlow::Break(Err(StepError { blame: Blame::World, why: end }));
            }
            if reached(view) {
                return ControlFlow::Break(Ok(()));
            }
            ControlFlow::Continue(describe(view))
        });
        match waited.await {
            Ok(ended) => ended,
            Err(error) => Err(StepError::by(Blame::Daemon, &error)),
        }
    }

    /// A failure of the daemon's, unless its world has failed before.
    fn of_daemon(&self, why: String) -> StepError {
        match self.recorder.with_view(world_end) {
            Some(end) => StepError { blame: Blame::World, why: format!("{end}; {why}") },
            None => StepError { blame: Blame::Daemon, why },
        }
    }
}

/// The end of a process of the world that is not the daemon.
fn world_end(view: &View) -> Option<String> {
    let mut ended = view.ended().iter().filter(|(name, _)| name != "daemon");
    ended.next().map(|(name, how)| format!("the {name} ended by itself: {how}"))
}

/// Whether the daemon has to reach the level at all, by what the engine holds.
fn is_promised(level: &Await, view: &View) -> bool {
    let truth = view.truth();
    match level {
        Await::Converged | Await::Condition { .. } => true,
        Await::Volume(name) => truth.volumes.contains_key(name),
        Await::Tag(tag) => truth.images.values().any(|image| image.tags.contains(tag)),
        Await::Container { name, state } => truth.containers.values().any(|container| {
            container.name == *name && state.as_ref().is_none_or(|state| container.state == *state)
        }),
    }
}

fn reached(level: &Await, view: &View) -> bool {
    let mirrors = view.mirrors();
    match level {
        Await::Converged => view.differences().is_empty(),
        Await::Condition { r#type, status } => {
            view.app().is_some_and(|app| app.holds(r#type, status))
        }
        Await::Volume(name) => {
            mirrors.iter().any(|mirror| mirror.key == MirrorKey::Volume(name.clone()))
        }
        Await::Tag(wanted) => mirrors.iter().any(|mirror| {
            matches!(&mirror.key, MirrorKey::Image { tag: Some(tag), .. } if tag == wanted)
        }),
        Await::Container { name, state } => mirrors.iter().any(|mirror| {
            let field = |field: &str| mirror.fields.get(field);
            matches!(mirror.key, MirrorKey::Container(_))
                && field("name") == Some(name)
                && state.as_ref().is_none_or(|state| field("status") == Some(state))
        }),
    }
}

/// What a view is like, in a line, for the error of a wait.
fn describe(view: &View) -> String {
    let app = view.app();
    let conditions = app.map_or_else(
        || "no App".to_owned(),
        |app| format!("{}; {}", app.describe("ContainerEngineReady"), app.describe("Settled")),
    );
    let differences = view.differences();
    let mirrors =
        if differences.is_empty() { "converged".to_owned() } else { differences.join("; ") };
    let ended: Vec<_> =
        view.ended().iter().map(|(name, how)| format!("{name} ended: {how}")).collect();
    [conditions, mirrors, ended.join("; ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
