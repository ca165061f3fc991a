//! What makes a world that was used like a new one, and the proof that it is.
//!
//! A reset goes the ways that users go: the engine's objects are removed, the App is stopped and
//! deleted. Nothing of the daemon's is removed behind its back, so that what it leaves is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{EngineState, PROBE_VOLUME_PREFIX, View, What};
use tokio::time::{Instant, timeout};

use super::world::World;
use crate::daemon::{ApiError, Resource, user};
use crate::engine::{TruthError, Workload, WorkloadError, empty};
use crate::intent::LogLengths;
use crate::sys::Identity;
use crate::wait::{NotReached, polled, until};

/// How long each part of a reset may take.
const PART_LIMIT: Duration = Duration::from_secs(15);

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many descriptors a daemon may have more than after its first run: connections that it keeps
/// for the next request come and go. What it loses with each run adds up, and is seen.
const DESCRIPTORS: usize = 32;

/// A world that is not like a new one.
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
    #[error("the daemon is not the process that it was")]
    Daemon,
    #[error("the daemon has {now} descriptors, and had {first} after its first run")]
    Descriptors { now: usize, first: usize },
    #[error("the reset did not end within {LIMIT:?}")]
    Late,
}

/// What is remembered of a world over its runs.
pub(super) struct Usage {
    /// How many runs it was reset after.
    pub(super) runs: u32,
    /// How long its making took.
    made_in: Duration,
    /// How long its logs were when its present run began.
    pub(super) logs: LogLengths,
    /// Its processes when it was made.
    processes: BTreeSet<Identity>,
    /// Descriptors of the daemon after its first run.
    descriptors: Option<usize>,
    /// The daemon's process in its first run.
    daemon: Option<Identity>,
    /// From when on its engine tells no daemon again what was before it was emptied last.
    forgets: Option<Instant>,
}

impl Usage {
    /// That of a world that was made within this time, and has these processes.
    pub(super) fn new(
        made_in: Duration,
        processes: impl Iterator<Item = (Identity, String)>,
    ) -> Self {
        Self {
            runs: 0,
            made_in,
            logs: LogLengths::new(),
            processes: processes.map(|(process, _)| process).collect(),
            descriptors: None,
            daemon: None,
            forgets: None,
        }
    }
}

impl World {
    /// How many runs were in it before the present one.
    pub(crate) fn runs(&self) -> u32 {
        self.usage.runs
    }

    /// How long its making took.
    pub(super) fn made_in(&self) -> Duration {
        self.usage.made_in
    }

    /// Whether daemon and engine still run; what happens to an idle world is nobody's doing.
    pub(super) fn lives(&self) -> bool {
        let ended = self.recorder().with_view(|view| !view.ended().is_empty());
        !ended && self.daemon.process().is_some_and(Identity::lives)
    }

    /// For how long a daemon that connects can be told of what happened before the present run.
    pub(super) fn remembers_for(&self) -> Duration {
        let now = Instant::now();
        self.usage.forgets.map_or(Duration::ZERO, |forgets| forgets.saturating_duration_since(now))
    }

    /// Waits until no daemon can be told any more of what happened before the present run.
    ///
    /// # Errors
    /// Where that does not come to pass.
    pub(crate) async fn forget_events(&self) -> Result<(), NotReached> {
        polled("the engine's events of an earlier run to be past", PART_LIMIT, async || match self
            .remembers_for()
        {
            Duration::ZERO => ControlFlow::Break(()),
            left => ControlFlow::Continue(format!("{left:?} are left")),
        })
        .await
    }

    /// Removes all that a run made, and proves that nothing of it is left.
    ///
    /// # Errors
    /// Where something is left, or the world does not answer; it is worth nothing then.
    pub(super) async fn reset(&mut self) -> Result<(), ResetError> {
        let resetting = async {
            self.empty_engine().await?;
            self.delete_app().await?;
            self.be_quiet().await?;
            self.prove_empty().await?;
            self.prove_same()
        };
        timeout(LIMIT, resetting).await.map_err(|_| ResetError::Late)??;
        self.workload = Workload::new(self.truth.docker().clone());
        self.wire.reset_phase();
        self.usage.runs += 1;
        Ok(())
    }

    /// Empties the engine, and returns when its last event has come on the side channel: the next
    /// history has none of it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only some of them matter here")]
    async fn empty_engine(&mut self) -> Result<(), ResetError> {
        empty(self.truth.docker()).await?;
        let last = format!("{PROBE_VOLUME_PREFIX}reset");
        self.workload.create_volume(&last).await?;
        self.workload.remove_volume(&last).await?;
        let told = |what: &What| match what {
            What::Engine(event) if event.id == last && event.action == "destroy" => {
                Some(event.time_ns)
            }
            _ => None,
        };
        let emptied = polled("the engine's last event", PART_LIMIT, async || {
            match self.recorder().find(told) {
                Some(time_ns) => ControlFlow::Break(time_ns),
                None => ControlFlow::Continue("it has not come".to_owned()),
            }
        });
        self.usage.forgets = Some(Instant::now() + rest_of_second(emptied.await?));
        Ok(())
    }

    /// Stops the App, which takes the mirrors with it (contract 4.6), and deletes it, which takes
    /// the VM with it (contract 3.6).
    async fn delete_app(&self) -> Result<(), ResetError> {
        let recorder = self.recorder();
        // The history has just begun, and knows of nothing yet.
        self.list_all().await?;
        let Some(app) = recorder.with_view(|view| view.object("apps", "app").cloned()) else {
            return Ok(());
        };
        let stopped = BTreeMap::from([("/spec/running".to_owned(), false.into())]);
        user::patch(&self.api, recorder, Resource::Apps, &app, &stopped).await?;
        let mirrors = Resource::ALL
            .into_iter()
            .filter(|resource| !matches!(resource, Resource::Apps | Resource::LimaVms));
        self.gone("the mirrors to go", &mirrors.collect::<Vec<_>>()).await?;
        user::delete(&self.api, recorder, Resource::Apps, &app).await?;
        Ok(self.gone("the App and its VM to go", &Resource::ALL).await?)
    }

    async fn gone(&self, what: &str, resources: &[Resource]) -> Result<(), NotReached> {
        until(what, PART_LIMIT, self.recorder(), |view| match objects(view, resources) {
            left if left.is_empty() => ControlFlow::Break(()),
            left => ControlFlow::Continue(left),
        })
        .await
    }

    /// Waits until nothing goes on on the wires, and no process is left that the world was not
    /// made with.
    async fn be_quiet(&self) -> Result<(), NotReached> {
        polled("the world to be quiet", PART_LIMIT, async || {
            let status: Vec<_> = self.wires().map(racetrap_wire::Wire::status).collect();
            let goes_on = |at: &racetrap_wire::WireStatus| {
                at.in_flight > 0 || at.held > 0 || at.event_streams > 0
            };
            if let Some(busy) = status.into_iter().find(goes_on) {
                return ControlFlow::Continue(format!("{busy:?}"));
            }
            let strangers = self
                .processes()
                .into_iter()
                .filter(|(process, _)| !self.usage.processes.contains(process));
            let left: Vec<_> = strangers
                .map(|(process, command)| format!("{} `{command}`", process.pid))
                .collect();
            if left.is_empty() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(left.join(", "))
        })
        .await
    }

    /// Asks API and engine themselves.
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

    /// The daemon is the same one, and holds no more than it did.
    fn prove_same(&mut self) -> Result<(), ResetError> {
        let process = self.daemon.process().filter(|_| self.lives()).ok_or(ResetError::Daemon)?;
        let now = process.descriptors().ok_or(ResetError::Daemon)?;
        if *self.usage.daemon.get_or_insert(process) != process {
            return Err(ResetError::Daemon);
        }
        let first = *self.usage.descriptors.get_or_insert(now);
        if now > first + DESCRIPTORS {
            return Err(ResetError::Descriptors { now, first });
        }
        Ok(())
    }
}

/// How long it is at most from a time to the next second, both of the engine's clock. A daemon asks
/// for events from the second on in which it connects (contract 4.1), so that it is told again what
/// happened in that second.
fn rest_of_second(time_ns: i64) -> Duration {
    let second = 1_000_000_000;
    Duration::from_nanos((second - time_ns.rem_euclid(second)).unsigned_abs())
}

/// Every object of these resources, by its name.
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

    // What happened at the very beginning of a second is told again for all of it.
    #[test]
    fn an_engine_tells_again_what_happened_in_the_present_second() {
        let rest = |time_ns| rest_of_second(time_ns).as_nanos();
        assert_eq!(rest(5_000_000_000), 1_000_000_000);
        assert_eq!(rest(5_250_000_000), 750_000_000);
        assert_eq!(rest(5_999_999_999), 1);
    }
}
