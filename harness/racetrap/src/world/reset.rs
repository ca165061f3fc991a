//! Brings a world back to the state of a new one after a run, and proves that it is.
//!
//! A reset does what users can do: it removes the engine's objects, stops the App and deletes it.
//! It removes nothing of the daemon's in another way, so that it finds everything that the daemon
//! fails to remove.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{EngineState, PROBE_VOLUME_PREFIX, View, What};
use tokio::time::{Instant, timeout};

use super::world::World;
use crate::daemon::{ApiError, Resource, client_writes};
use crate::engine::{TruthError, Workload, WorkloadError, remove_everything};
use crate::sys::Identity;
use crate::wait::{NotReached, polled, until};

/// How long each part of a reset may take.
const PART_LIMIT: Duration = Duration::from_secs(15);

/// How long the whole reset may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many descriptors the daemon may have more than after its first run. Connections that it
/// keeps open for the next request come and go; descriptors that it loses in each run add up, and
/// exceed this.
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

    /// For how long from now on a daemon that connects to the engine is sent events of the last
    /// run.
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
    /// If something is left, or a part of the world does not answer. The world can then only be
    /// closed.
    pub(super) async fn reset(&mut self) -> Result<(), ResetError> {
        let resetting = async {
            // The engine first, while the App runs: the daemon then has to remove the mirrors
            // itself.
            self.empty_engine().await?;
            self.delete_app().await?;
            self.wait_until_quiet().await?;
            self.prove_empty().await?;
            self.prove_same_daemon()
        };
        timeout(LIMIT, resetting).await.map_err(|_| ResetError::Late)??;
        // The next run counts its objects and phases from the beginning.
        self.workload = Workload::new(self.truth.docker().clone());
        self.wire.reset_phase();
        self.reuse.runs += 1;
        Ok(())
    }

    /// Empties the engine, and returns when the harness has recorded the engine's last event.
    /// Otherwise that event would be in the history of the next run.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some of them matter here")]
    async fn empty_engine(&mut self) -> Result<(), ResetError> {
        remove_everything(self.truth.docker()).await?;
        // Events come in their order, so the removal of one more volume is the last of them.
        let last = format!("{PROBE_VOLUME_PREFIX}reset");
        self.workload.create_volume(&last).await?;
        self.workload.remove_volume(&last).await?;
        let time_of_last = |what: &What| match what {
            What::Engine(event) if event.id == last && event.action == "destroy" => {
                Some(event.time_ns)
            }
            _ => None,
        };
        let emptied = polled("the engine's last event", PART_LIMIT, async || {
            match self.recorder().find(time_of_last) {
                Some(time_ns) => ControlFlow::Break(time_ns),
                None => ControlFlow::Continue("it was not recorded".to_owned()),
            }
        });
        self.reuse.events_past = Some(Instant::now() + rest_of_second(emptied.await?));
        Ok(())
    }

    /// Stops the App, which removes the mirrors (contract 4.6), and deletes it, which removes the
    /// VM (contract 3.6).
    async fn delete_app(&self) -> Result<(), ResetError> {
        let recorder = self.recorder();
        // The history has just begun, so the view has no object yet.
        self.list_all().await?;
        let Some(app) = recorder.with_view(|view| view.object("apps", "app").cloned()) else {
            return Ok(());
        };
        let stopped = BTreeMap::from([("/spec/running".to_owned(), false.into())]);
        client_writes::patch(&self.api, recorder, Resource::Apps, &app, &stopped).await?;
        let mirrors = Resource::ALL
            .into_iter()
            .filter(|resource| !matches!(resource, Resource::Apps | Resource::LimaVms));
        self.gone("the mirrors to go", &mirrors.collect::<Vec<_>>()).await?;
        client_writes::delete(&self.api, recorder, Resource::Apps, &app).await?;
        Ok(self.gone("the App and its VM to go", &Resource::ALL).await?)
    }

    /// Waits until the API has no object of these resources.
    async fn gone(&self, what: &str, resources: &[Resource]) -> Result<(), NotReached> {
        until(what, PART_LIMIT, self.recorder(), |view| match objects(view, resources) {
            left if left.is_empty() => ControlFlow::Break(()),
            left => ControlFlow::Continue(left),
        })
        .await
    }

    /// Waits until no message is in flight on the wires, and no process is left that the world did
    /// not have when it was new.
    async fn wait_until_quiet(&self) -> Result<(), NotReached> {
        polled("the world to be quiet", PART_LIMIT, async || {
            let status: Vec<_> = self.wires().map(racetrap_wire::Wire::status).collect();
            let is_busy = |wire: &racetrap_wire::WireStatus| {
                wire.in_flight > 0 || wire.held > 0 || wire.event_streams > 0
            };
            if let Some(busy) = status.into_iter().find(is_busy) {
                return ControlFlow::Continue(format!("{busy:?}"));
            }
            let new = self
                .processes()
                .into_iter()
                .filter(|(process, _)| !self.reuse.processes.contains(process));
            let left: Vec<_> =
                new.map(|(process, command)| format!("{} `{command}`", process.pid)).collect();
            if left.is_empty() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(left.join(", "))
        })
        .await
    }

    /// Lists all objects of the API and the engine. The view alone would not do: an event may be on
    /// its way.
    async fn prove_empty(&self) -> Result<(), ResetError> {
        let recorder = self.recorder();
        self.list_all().await?;
        let listed = recorder.with_view(|view| objects(view, &Resource::ALL));
        if !listed.is_empty() {
            return Err(ResetError::Listed(listed));
        }
        self.truth.refresh().await?;
        if recorder.with_view(|view| *view.truth() != EngineState::default()) {
            return Err(ResetError::Held);
        }
        Ok(())
    }

    /// Proves that the daemon is the process that it was after the first run, and has no more open
    /// descriptors, within [`DESCRIPTORS`].
    fn prove_same_daemon(&mut self) -> Result<(), ResetError> {
        let process = self.daemon.process().filter(|_| self.lives()).ok_or(ResetError::Daemon)?;
        let now = process.descriptors().ok_or(ResetError::Daemon)?;
        // The first reset stores what all later ones compare with.
        if *self.reuse.daemon.get_or_insert(process) != process {
            return Err(ResetError::Daemon);
        }
        let first = *self.reuse.descriptors.get_or_insert(now);
        if now > first + DESCRIPTORS {
            return Err(ResetError::Descriptors { now, first });
        }
        Ok(())
    }
}

/// The time from `time_ns` to the next second of the engine's clock. When a daemon connects, it
/// asks for events since the beginning of the present second (contract 4.1), so the engine sends it
/// again whatever has happened in that second.
fn rest_of_second(time_ns: i64) -> Duration {
    let second = 1_000_000_000;
    Duration::from_nanos((second - time_ns.rem_euclid(second)).unsigned_abs())
}

/// Resource and name of every object of these resources, as one line.
fn objects(view: &View, resources: &[Resource]) -> String {
    let names = resources.iter().flat_map(|resource| {
        let plural = resource.plural();
        view.names(plural).map(move |name| format!("{plural} {name}"))
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    // An event at the very beginning of a second is sent again for all of that second.
    #[test]
    fn events_are_past_when_their_second_is_over() {
        let rest = |time_ns| rest_of_second(time_ns).as_nanos();
        assert_eq!(rest(5_000_000_000), 1_000_000_000);
        assert_eq!(rest(5_250_000_000), 750_000_000);
        assert_eq!(rest(5_999_999_999), 1);
    }
}
