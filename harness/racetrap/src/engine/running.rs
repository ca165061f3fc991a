//! The engine of a world: a process, a container, or a virtual machine.

use std::io;
use std::path::PathBuf;

use racetrap_history::GuestOp;
use tokio::task::JoinSet;

use super::choice::EngineKind;
use super::config::EngineConfig;
use super::dind::Dind;
use super::dockerd::Dockerd;
use super::error::EngineError;
use super::guest::{Guest, LimaGuest};
use super::truth::{GUEST_REQUEST_SECONDS, REQUEST_SECONDS, identify};
use crate::intent::Intent;
use crate::recorder::Recorder;
use crate::sys::Signal;

/// The engine of a world.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a world has one, and it is never moved in bulk")]
pub(crate) enum Engine {
    /// A process in namespaces of its own.
    Dockerd(Dockerd),
    /// A container on the user's own Docker.
    Dind(Dind),
    /// A dockerd in a virtual machine.
    Guest(Box<Guest>),
    /// A dockerd in a virtual machine that Lima boots: the daemon's own, or an installed one.
    Lima(Box<LimaGuest>),
}

impl Engine {
    /// Starts the engine, waits until it answers, and checks that it is the one that was chosen.
    /// Calls `declare` with each thing that it is going to create.
    ///
    /// # Errors
    /// If it does not start, or is not the chosen one.
    pub(crate) async fn start(
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let chosen = config.choice;
        let engine = match chosen.kind {
            EngineKind::Dockerd(_) => {
                Self::Dockerd(Dockerd::start(config, declare, tasks, recorder).await?)
            }
            EngineKind::Dind(version) => {
                Self::Dind(Dind::start(version, config, declare, tasks, recorder).await?)
            }
            EngineKind::Guest(version) => {
                let guest = Guest::start(version, config, declare, tasks, recorder);
                Self::Guest(Box::new(Box::pin(guest).await?))
            }
            EngineKind::Lima(version) => {
                let guest = LimaGuest::start(version, config, declare, tasks, recorder);
                Self::Lima(Box::new(Box::pin(guest).await?))
            }
        };
        // An engine may ignore a setting that it does not know, so what it says about itself
        // counts.
        let is = identify(&engine.truth_socket()).await?;
        if is.matches(chosen) {
            return Ok(engine);
        }
        Err(EngineError::NotChosen { chosen, is: is.to_string() })
    }

    /// Prepares the engine of a guest that the daemon's own Lima boots. It runs when
    /// [`wait_for_boot`](Self::wait_for_boot) has returned.
    ///
    /// # Errors
    /// If no guest was chosen, or it is not built.
    pub(crate) fn prepare_for_lima(
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
    ) -> Result<Self, EngineError> {
        let version = config.choice.guest().ok_or(EngineError::NoGuest)?;
        Ok(Self::Lima(Box::new(LimaGuest::prepare(version, config, declare)?)))
    }

    /// Lima's configuration for the guest, if the daemon's Lima boots it.
    pub(crate) fn lima_override(&self) -> Option<String> {
        match self {
            Self::Lima(engine) => engine.lima_override(),
            Self::Dockerd(_) | Self::Dind(_) | Self::Guest(_) => None,
        }
    }

    /// Waits until the guest that the daemon's Lima boots answers the harness. Returns at once for
    /// every other engine.
    pub(crate) async fn wait_for_boot(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match self {
            Self::Lima(engine) => Box::pin(engine.wait_for_boot(tasks, recorder)).await,
            Self::Dockerd(_) | Self::Dind(_) | Self::Guest(_) => Ok(()),
        }
    }

    /// Follows a guest that the daemon's Lima has ended, or booted again.
    pub(crate) async fn follow(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match self {
            Self::Lima(engine) => Box::pin(engine.follow(tasks, recorder)).await,
            Self::Dockerd(_) | Self::Dind(_) | Self::Guest(_) => Ok(()),
        }
    }

    /// Whether the harness can ask the engine. One that ended by a step counts as reachable: to ask it
    /// is an error of the step.
    pub(crate) fn is_reachable(&self) -> bool {
        match self {
            Self::Lima(engine) => engine.is_attached(),
            Self::Dockerd(_) | Self::Dind(_) | Self::Guest(_) => true,
        }
    }

    /// The engine's own socket, past the wire.
    pub(crate) fn socket(&self) -> PathBuf {
        match self {
            Self::Dockerd(engine) => engine.socket(),
            Self::Dind(engine) => engine.socket(),
            Self::Guest(engine) => engine.socket(),
            Self::Lima(engine) => engine.socket(),
        }
    }

    /// The socket by which the harness asks the engine. A guest has one of its own, so that the
    /// truth does not depend on what happens to the forward of the daemon.
    pub(crate) fn truth_socket(&self) -> PathBuf {
        match self {
            Self::Dockerd(engine) => engine.socket(),
            Self::Dind(engine) => engine.socket(),
            Self::Guest(engine) => engine.truth_socket(),
            Self::Lima(engine) => engine.truth_socket(),
        }
    }

    /// How long one request of the harness may take, in seconds.
    pub(super) fn request_seconds(&self) -> u64 {
        match self {
            Self::Dockerd(_) | Self::Dind(_) => REQUEST_SECONDS,
            Self::Guest(_) | Self::Lima(_) => GUEST_REQUEST_SECONDS,
        }
    }

    /// Starts the engine again after it was killed or stopped, on the same data.
    pub(crate) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.restart(tasks, recorder).await,
            Self::Dind(engine) => engine.restart(tasks, recorder).await,
            Self::Guest(engine) => engine.restart(recorder).await,
            Self::Lima(engine) => engine.restart(recorder).await,
        }
    }

    /// Freezes the engine: of a container everything that runs in it, otherwise dockerd alone.
    pub(crate) async fn freeze(&self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.freeze().await,
            Self::Dind(engine) => engine.freeze().await,
            Self::Guest(engine) => engine.freeze().await,
            Self::Lima(engine) => engine.signal("STOP").await,
        }
    }

    /// Lets a frozen engine go on.
    pub(crate) async fn thaw(&self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.thaw().await,
            Self::Dind(engine) => engine.thaw().await,
            Self::Guest(engine) => engine.thaw().await,
            Self::Lima(engine) => engine.signal("CONT").await,
        }
    }

    /// Ends the engine by SIGKILL or SIGTERM and waits for its end. Its data stay. If it is a
    /// container, its containers end with it; otherwise they may run on.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.end(signal).await,
            Self::Dind(engine) => engine.end(signal).await,
            Self::Guest(engine) => engine.end(signal).await,
            Self::Lima(engine) => engine.end(signal).await,
        }
    }

    /// Whether the engine runs in a virtual machine, whose processor software emulates.
    pub(crate) fn is_in_guest(&self) -> bool {
        matches!(self, Self::Guest(_) | Self::Lima(_))
    }

    /// Does a step of a scenario to the virtual machine that runs the engine.
    ///
    /// # Errors
    /// If the guest does not do it, or there is none.
    pub(crate) async fn apply_to_guest(
        &mut self,
        op: GuestOp,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match self {
            Self::Guest(engine) => Box::pin(engine.apply(op, tasks, recorder)).await,
            Self::Lima(engine) => Box::pin(engine.apply(op, tasks, recorder)).await,
            Self::Dockerd(_) | Self::Dind(_) => Err(EngineError::NoGuest),
        }
    }

    /// Ends the engine and everything that it runs at once. Its data may be damaged: the caller
    /// removes them.
    pub(crate) async fn close(self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.close().await,
            Self::Dind(engine) => engine.close().await,
            Self::Guest(engine) => engine.close().await,
            Self::Lima(engine) => engine.close().await,
        }
    }
}
