//! Brings a world back to the state of a new one after a run, and proves that it is.
//!
//! A reset does what users can do: it removes the engine's objects, stops the App and deletes it. It removes
//! nothing of the daemon's in another way, so that it finds everything that the daemon fails to remove.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{EngineState, PROBE_VOLUME_PREFIX, View, What};
use tokio::time::{Instant, timeout};

use super::world::World;
use crate::daemon::{ApiError, Resource, user};
use crate::engine::{TruthError, Workload, WorkloadError, empty};
use crate::sys::Identity;
use crate::wait::{NotReached, polled, until};

/// How long each part of a reset may take.
const PART_LIMIT: Duration = Duration::from_secs(15);

/// How long the whole reset may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many descriptors the daemon may have more than after its first run. Connections that it keeps
/// open for the next request come and go; descriptors that it loses in each run add up, and exceed this.
const DESCRIPTORS: usize = 32;

/// Why a world is not like a new one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    #[error("the daemon's API failed")]
    Api(#[from] ApiError),
    #[error("the engine could not be emptied")]
    Engine(#[from] WorkloadError),
    #[error("the engine could not be asked")]
    Truth(#[from] TruthError),
    #[error("something is left of the run")]
    Left(#[from] NotReached),
    #[error("the API still lists {0}")]
    Listed(String),
    #[error("the engine still holds objects")]
    Held,
    #[error("the daemon is not the same process as before")]
    Daemon,
    #[error("the daemon has {now} descriptors, and had {first} after its first run")]
    Descriptors { now: usize, first: usize },
    #[error("the reset did not end within {LIMIT:?}")]
    Late,
}

impl World {
    /// How many runs there were in this world before the present one.
    pub(crate) fn runs(&self) -> u32 {
        self.reuse.runs
    }

    /// How long the world took to start.
    pub(super) fn start_took(&self) -> Duration {
        self.reuse.start_took
    }

    /// Whether daemon and engine still run. In an idle world no step can have ended them.
    pub(super) fn lives(&self) -> bool {
        let ended = self.recorder().with_view(|view| !view.ended().is_empty());
        !ended && self.daemon.process().is_some_and(Identity::lives)
    }

    /// For how long from now on a daemon that connects to the engine is sent events of the last run.
    pub(super) fn remembers_for(&self) -> Duration {
        let past = self.reuse.events_past;
        past.map_or(Duration::ZERO, |past| past.saturating_duration_since(Instant::now()))
    }

    /// Waits until a daemon that connects to the engine is no longer sent events of the last run.
    ///
    /// # Errors
    /// If that takes longer than 15 s; it should take a second at most.
    pub(crate) async fn forget_events(&self) -> Result<(), NotReached> {
        polled("the engine's events of an earlier run to be past", PART_LIMIT, async || match self
            .remembers_for()
        {
            Duration::ZERO => ControlFlow::Break(()),
            left => ControlFlow::Continue(format!("{left:?} are left")),
        })
        .await
    }

    /// Removes everything that a run has made, and proves that nothing of it is left.
    ///
    /// # Errors
    /// If something is left, or a part of the world does not answer. The world can then only be closed.
    pub(super) async fn reset(&mut self) -> Result<(), ResetError> {
        let resetting = async {
            self.empty_engine().await?;
            self.delete_app().await?;
            self.wait_until_quiet().await?;
            self.prove_empty().await?;
            self.prove_same_daemon()
        };
        timeout(LIMIT, resetting).await.map_err(|_| ResetError::Late)??;
        self.workload = Workload::new(self.truth.docker().clone());
        self.wire.reset_phase();
        self.reuse.runs += 1;
