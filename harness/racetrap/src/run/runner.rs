//! Hands each step of a scenario to the part that does it.

use std::time::Duration;

use racetrap_history::{NeighbourStep, Step};

use super::scene::Scene;
use super::step_error::StepError;
use super::steps::{
    Commands, DockerUser, Faults, Gates, LogClients, Waits, api, daemon, engine, kubernetes,
};
use crate::bundle::Cause;
use crate::daemon::AdmissionError;
use crate::recorder::Recorder;
use crate::wait::NotReached;
use crate::world::World;

/// A world, what the scenario has begun in it, and the same of its neighbour.
pub(super) struct Runner {
    scene: Scene,
    parts: Parts,
    neighbour: Option<Box<Runner>>,
}

/// What each part of the language keeps from one step to the next. Dropped in this order, everything
/// that is closed opens before those end who wait for it.
#[derive(Default)]
struct Parts {
    gates: Gates,
    faults: Faults,
    commands: Commands,
    logs: LogClients,
    docker: DockerUser,
    waits: Waits,
}

impl Runner {
    /// Steps are done in `world`, each within `deadline`.
    pub(super) fn new(world: World, deadline: Duration, neighbour: Option<Box<Self>>) -> Self {
        Self {
            scene: Scene { world, deadline, is_slowed: false },
            parts: Parts::default(),
            neighbour,
        }
    }

    pub(super) fn recorder(&self) -> &Recorder {
        self.scene.recorder()
    }

    /// Records what the daemon has written to its log so far.
    pub(super) fn read_log(&mut self) {
        self.scene.world.daemon.read_log();
    }

    /// Lets the engine forget the events of earlier runs, which a daemon that connects would replay.
    pub(super) async fn forget_events(&mut self) -> Result<(), NotReached> {
        self.scene.world.forget_events().await
    }

    /// Records every write to the daemon's API from here on.
    pub(super) async fn review_writes(&mut self) -> Result<(), AdmissionError> {
        self.scene.world.admission().await.map(drop)
    }

    /// Captures the worlds as they are now, with everything that is closed still closed.
    pub(super) async fn capture(&mut self, cause: &Cause) {
        let neighbour = async {
            if let Some(neighbour) = &mut self.neighbour {
                neighbour.scene.world.capture(cause.clone()).await;
            }
        };
        tokio::join!(self.scene.world.capture(cause.clone()), neighbour);
    }

    /// Opens everything that is closed, and closes the worlds.
    pub(super) async fn close(self) {
        drop(self.parts);
        if let Some(neighbour) = self.neighbour {
            Box::pin(neighbour.close()).await;
        }
        self.scene.world.close().await;
    }

    /// Opens everything that is closed, and gives the world back.
    pub(super) fn into_world(self) -> World {
        drop(self.parts);
        self.scene.world
    }

    /// Does one step, and records what the user's files and the daemon's log show
    /// after it, also if it failed.
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), StepError> {
        let done = match self.scene.world.follow_engine().await {
            Ok(()) => self.dispatch(step).await,
            Err(error) => Err(error.into()),
        };
        self.scene.world.record_user_files();
        self.read_log();
        done
    }

    async fn dispatch(&mut self, step: &Step) -> Result<(), StepError> {
        let Self { scene, parts, neighbour } = self;
        parts.gates.turn(step).await;
        match step {
            Step::Engine(step) => engine::step(scene, step).await,
            Step::Command(step) => parts.commands.step(scene, step).await,
            Step::Api(step) => api::step(scene, step).await,
            Step::Daemon(step) => daemon::step(scene, step).await,
            Step::Neighbour(NeighbourStep::Does(step)) => {
                let neighbour = neighbour.as_mut();
                let neighbour = neighbour.expect("the schedule was checked: it has a neighbour");
                Box::pin(neighbour.step(step)).await
            }
            Step::Gate(step) => parts.gates.step(scene, step).await,
            Step::Fault(step) => parts.faults.step(scene, step, &parts.commands).await,
            Step::Docker(step) => parts.docker.step(scene, step, &mut parts.commands).await,
            Step::Kubernetes(step) => kubernetes::step(scene, step).await,
            Step::Log(step) => parts.logs.step(scene, step).await,
            Step::Wait(step) => {
                let Parts { waits, faults, logs, .. } = parts;
                waits.step(scene, step, faults, logs).await
            }
        }
    }
}
