//! Does one step at a time to a world, and says whose failure it is where one cannot be done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use racetrap_history::{Blame, ClientName, CommandName, EngineOp, FaultName, GateName, Step};
use racetrap_wire::Refusal;
use tokio::task::JoinSet;

use super::commands::Background;
use super::faults::Armed;
use super::gates::Standing;
use super::logs::Opened;
use crate::bundle::Cause;
use crate::chain::chain;
use crate::daemon::{AdmissionError, ApiError, DaemonError};
use crate::docker_cli::{CommandFailure, DockerCliError, WriteTrap};
use crate::engine::{EngineError, NewContainer, TruthError, WorkloadError};
use crate::passthrough::RouteError;
use crate::recorder::Recorder;
use crate::sys::Signal;
use crate::world::{ClientWireError, World};

/// A step that could not be done.
#[derive(Debug)]
pub(super) struct StepError {
    pub(super) blame: Blame,
    pub(super) why: String,
}

impl StepError {
    pub(super) fn by(blame: Blame, error: &dyn std::error::Error) -> Self {
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
world_errors!(
    AdmissionError,
    ApiError,
    ClientWireError,
    DaemonError,
    DockerCliError,
    EngineError,
    TruthError,
    RouteError,
    WorkloadError
);

/// A world, and what the scenario has armed in it.
pub(super) struct Runner {
    pub(super) world: World,
    pub(super) deadline: Duration,
    pub(super) checkpoints: u32,
    pub(super) gates: BTreeMap<GateName, Standing>,
    pub(super) waiting: Vec<(Option<GateName>, Step)>,
    pub(super) released: BTreeSet<GateName>,
    pub(super) armed: Vec<Armed>,
    pub(super) recordings: BTreeMap<FaultName, racetrap_wire::Recording>,
    pub(super) refusing: Option<Refusal>,
    pub(super) commands: BTreeMap<CommandName, Background>,
    pub(super) user_commands: BTreeMap<CommandName, JoinSet<Result<(), CommandFailure>>>,
    /// Kills or freezes the daemon at an instant of its own.
    pub(super) strike: Option<WriteTrap>,
    pub(super) clients: BTreeMap<ClientName, Opened>,
    pub(super) neighbour: Option<Box<Runner>>,
    recorder: Recorder,
}

impl Runner {
    pub(super) fn new(world: World, deadline: Duration, recorder: Recorder) -> Self {
        Self {
            world,
            deadline,
            checkpoints: 0,
            gates: BTreeMap::new(),
            waiting: Vec::new(),
            released: BTreeSet::new(),
            armed: Vec::new(),
            recordings: BTreeMap::new(),
            refusing: None,
            commands: BTreeMap::new(),
            user_commands: BTreeMap::new(),
            strike: None,
            clients: BTreeMap::new(),
            neighbour: None,
            recorder,
        }
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Captures the worlds as they are now, with everything that is closed still closed.
    pub(super) async fn capture(&mut self, cause: &Cause) {
        let neighbour = async {
            if let Some(neighbour) = &mut self.neighbour {
                neighbour.world.capture(cause.clone()).await;
            }
        };
        tokio::join!(self.world.capture(cause.clone()), neighbour);
    }

    /// Opens everything that is closed, and closes the worlds.
    pub(super) async fn close(self) {
        drop((self.gates, self.armed, self.refusing, self.commands));
        drop((self.user_commands, self.clients, self.strike));
        if let Some(neighbour) = self.neighbour {
            Box::pin(neighbour.close()).await;
        }
        self.world.close().await;
    }

    /// Opens everything that is closed, and gives the world back.
    pub(super) fn into_world(self) -> World {
        drop((self.gates, self.armed, self.refusing, self.commands));
        drop((self.user_commands, self.clients, self.strike));
        self.world
    }

    /// Does one step; after one that changes what the engine holds, the truth is asked anew.
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), StepError> {
        let done = self.do_step(step).await;
        self.world.user.record_changes();
        self.world.daemon.read_log();
        done
    }

    async fn do_step(&mut self, step: &Step) -> Result<(), StepError> {
        match step {
            Step::App(app) => self.app(app).await,
            Step::Set(set) => self.set(set).await,
            Step::Returned(returned) => self.returned(returned).await,
            Step::Interrupt(name) => self.interrupt(name),
            Step::Daemon(op) => self.daemon(*op).await,
            Step::Vm(op) => self.world.daemon.vm(*op).map_err(StepError::from),
            Step::Act { container, action } => self.act(container, *action).await,
            Step::Patch(patch) => self.patch(patch).await,
            Step::CreateObject(object) => self.create_object(object).await,
            Step::Delete(mirror) => self.delete(mirror).await,
            Step::Keep(mirror) => self.keep(mirror, true).await,
            Step::LetGo(mirror) => self.keep(mirror, false).await,
            Step::Touch { times } => self.touch(*times).await,
            Step::Hold(_) | Step::HoldWrite(_) => self.hold(step).await,
            Step::Reached(gate) => self.reached(gate).await,
            Step::Release(gate) => self.release(gate).await,
            Step::Answer { .. }
            | Step::DenyWrite { .. }
            | Step::Fault(_)
            | Step::Happened(_)
            | Step::Lift(_)
            | Step::Record { .. } => self.arm_fault(step).await,
            Step::Cut(_)
            | Step::Inject { .. }
            | Step::ReplaceSocket
            | Step::Refuse
            | Step::Accept => self.disturb(step).await,
            Step::Docker(_)
            | Step::Endpoint(_)
            | Step::DockerFile(_)
            | Step::DockerDisk(_)
            | Step::KillAt(_)
            | Step::Killed
            | Step::FreezeAt(_)
            | Step::Frozen => self.docker(step).await,
            Step::OpenLog(_)
            | Step::ReadLog(_)
            | Step::LeaveLog(_)
            | Step::LogCrowd(_)
            | Step::CompareLog(_)
            | Step::ReadDiscovery => self.logs(step).await,
            Step::Await(level) => self.await_level(level).await,
            Step::Settle => self.settle().await,
            Step::Engine(op) => self.engine(*op).await,
            Step::Neighbour(step) => {
                let neighbour = self.neighbour.as_mut();
                let neighbour = neighbour.expect("the schedule was checked: it has a neighbour");
                Box::pin(neighbour.step(step)).await
            }
            Step::LoadImage { .. }
            | Step::Tag { .. }
            | Step::Untag { .. }
            | Step::RemoveImage { .. }
            | Step::CreateContainer { .. }
            | Step::Container { .. }
            | Step::RemoveContainer { .. }
            | Step::PrepareExecs { .. }
            | Step::CreateVolume { .. }
            | Step::CreateVolumes { .. }
            | Step::RemoveVolumes { .. }
            | Step::RemoveVolume { .. } => {
                self.use_engine(step).await?;
                Ok(self.world.truth.refresh().await?)
            }
        }
    }

    /// What a user does to the engine.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    async fn use_engine(&mut self, step: &Step) -> Result<(), WorkloadError> {
        let workload = &mut self.world.workload;
        match step {
            Step::LoadImage { image, tags } => workload.load_image(image, tags).await,
            Step::Tag { image, tag } => workload.tag(image, tag).await,
            Step::Untag { tag, force } => workload.remove_image(tag, *force).await,
            Step::RemoveImage { image, force } => {
                let id = workload.id(image)?.to_owned();
                workload.remove_image(&id, *force).await
            }
            Step::CreateContainer { name, image, start, volumes, prints } => {
                let new = NewContainer { name, image, volumes, prints };
                workload.create_container(new, *start).await
            }
            Step::Container { name, op } => workload.change_container(name, *op).await,
            Step::RemoveContainer { name } => workload.remove_container(name).await,
            Step::PrepareExecs { container, count } => {
                workload.prepare_execs(container, *count).await
            }
            Step::CreateVolume { name } => workload.create_volume(name).await,
            Step::CreateVolumes { prefix, count } => workload.create_volumes(prefix, *count).await,
            Step::RemoveVolumes { prefix } => workload.remove_volumes(prefix).await,
            Step::RemoveVolume { name } => workload.remove_volume(name).await,
            other => unreachable!("{other:?} is not done to the engine"),
        }
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
            EngineOp::Thaw => engine.thaw().await?,
        }
        Ok(())
    }
}
