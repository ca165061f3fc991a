//! The engine of a world, whichever way it is run.

use std::io;
use std::path::PathBuf;

use tokio::task::JoinSet;

use super::choice::EngineKind;
use super::dind::Dind;
use super::dockerd::Dockerd;
use super::error::EngineError;
use super::site::Site;
use super::truth::identity;
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
}

impl Engine {
    /// Starts one and waits until it answers, as the one that was chosen. `declare` is told what
    /// will be made, before.
    pub(crate) async fn start(
        site: Site,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let chosen = site.choice;
        let engine = match chosen.kind {
            EngineKind::Dockerd(_) => {
                Self::Dockerd(Dockerd::start(site, declare, tasks, recorder).await?)
            }
            EngineKind::Dind(version) => {
                Self::Dind(Dind::start(version, site, declare, tasks, recorder).await?)
            }
        };
        let is = identity(&engine.socket()).await?;
        if is.fits(chosen) {
            return Ok(engine);
        }
        Err(EngineError::NotChosen { chosen, is: is.to_string() })
    }

    /// Its socket, past the wire.
    pub(crate) fn socket(&self) -> PathBuf {
        match self {
            Self::Dockerd(engine) => engine.socket(),
            Self::Dind(engine) => engine.socket(),
        }
    }

    /// Starts it again after it was killed or stopped, on the same data.
    pub(crate) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.restart(tasks, recorder).await,
            Self::Dind(engine) => engine.restart(tasks, recorder).await,
        }
    }

    /// Freezes it: a dockerd alone, a container with all that it runs.
    pub(crate) async fn freeze(&self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.freeze().await,
            Self::Dind(engine) => engine.freeze().await,
        }
    }

    /// Ends a freeze.
    pub(crate) async fn thaw(&self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.thaw().await,
            Self::Dind(engine) => engine.thaw().await,
        }
    }

    /// Ends it by SIGKILL or SIGTERM and waits for that; its data stay. The containers of a dockerd
    /// run on for a while, those in a container end with it.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.end(signal).await,
            Self::Dind(engine) => engine.end(signal).await,
        }
    }

    /// Ends it with all that it runs; its data are worth nothing by now.
    pub(crate) async fn close(self) -> Result<(), EngineError> {
        match self {
            Self::Dockerd(engine) => engine.close().await,
            Self::Dind(engine) => engine.close().await,
        }
    }
}
