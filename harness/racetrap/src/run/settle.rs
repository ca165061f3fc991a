//! Quiescence, computed: the state is level, and the daemon is proved to have had its turn.
//!
//! First the state must be level: the daemon is where the App wants it, nothing is in flight, and
//! either mirrors equal objects or nothing at all has happened for a while. Then the harness makes
//! a volume of its own on the engine and waits for its mirror: events are handled in the order of
//! their stream (contract 4.2), so everything that came before has been handled by then. What the
//! oracles judge is the state at both points; no passing of time decides anything. An App that is
//! stopped mirrors nothing, so there is no such proof: what is still there at the deadline is late.

use std::time::Duration;

use racetrap_history::{MirrorKey, PROBE_VOLUME_PREFIX, Stage, View, What};
use tokio::time::{Instant, timeout, timeout_at};

use super::runner::{Runner, StepError};
use crate::daemon::Resource;

/// How long nothing may happen before a state that does not converge is called level. Only how soon
/// a broken daemon is found depends on it; whether it is found, on the probe.
pub(super) const STILL: Duration = Duration::from_millis(1500);

/// The same where a user's wish is not fulfilled: the daemon may be between two tries, which are
/// farther apart each time (contract 4.3: up to ten seconds were seen). Nor does a daemon tell of
/// anything while it waits for a slow disk to have a configuration.
const STILL_PENDING: Duration = Duration::from_secs(8);

impl Runner {
    /// Waits until the world is quiet, proves it, and marks the checkpoint.
    pub(super) async fn settle(&mut self) -> Result<(), StepError> {
        self.checkpoints += 1;
        let number = self.checkpoints;
        let deadline = Instant::now() + self.deadline;
        let became_level = loop {
            let became_level = self.become_level(deadline).await;
            self.world.truth.refresh().await?;
            self.list_all().await?;
            // What was equal for an instant, in the middle of a change, is not level; nor is it where the
            // harness's own watch was behind what a user had written.
            if !became_level || self.is_level() {
                break became_level;
            }
        };
        self.level_logs(deadline).await?;
        self.require_faults()?;
        self.mark(number, Stage::Level, became_level).await;
        if self.recorder().with_view(wants_mirrors) {
            self.probe(number).await?;
            self.world.truth.refresh().await?;
            self.list_all().await?;
        }
        self.record_logs().await?;
        self.mark(number, Stage::Probed, became_level).await;
        Ok(())
    }

    /// Marks the checkpoint: of a world that became level at an instant at which it is, of any other one
    /// at an instant at which nothing is in flight. A daemon that tries again and again has such
    /// instants, and oracles judge no wish while a request may be about it. One that has none, because
    /// it is waiting for its engine, is judged as it is.
    async fn mark(&self, number: u32, stage: Stage, became_level: bool) {
        let mut changes = self.recorder().changes();
        let limit = Instant::now() + STILL;
        let checkpoint = What::Checkpoint { number, stage };
        self.world.user.record_changes();
        loop {
            changes.borrow_and_update();
            let level = self.level();
            let is_quiet = |view: &View| {
                if became_level { level(view).is_reached() } else { view.in_flight().is_empty() }
            };
            if self.recorder().append_if(is_quiet, checkpoint.clone()) {
                return;
            }
            if timeout_at(limit, changes.changed()).await.is_err() {
                return self.recorder().append(checkpoint);
            }
        }
    }

    /// What makes a view level, by the event streams that the wire has open now.
    fn level(&self) -> impl Fn(&View) -> Level + use<> {
        let event_streams = self.world.wire.status().event_streams;
        move |view| Level::of(view, event_streams)
    }

    fn is_level(&self) -> bool {
        self.recorder().with_view(self.level()).is_reached()
    }

    /// Returns when the state is level, or at the deadline: what is there is judged in any case.
    /// Tells which of both.
    async fn become_level(&self, deadline: Instant) -> bool {
        let mut changes = self.recorder().changes();
        while Instant::now() < deadline {
            changes.borrow_and_update();
            let level = self.recorder().with_view(self.level());
            if level.is_reached() {
                return true;
            }
            // A stopped App cannot be probed: its mirrors have the whole deadline to go.
            // Of what is in the configuration it may fail to be rid, and then it tells of no other try.
            let may_be_still = level.in_place
                && (level.converged && level.done || self.recorder().with_view(wants_mirrors));
            let limit = match (may_be_still, level.done && level.config) {
                (true, true) => STILL,
                (true, false) => STILL_PENDING,
                (false, _) => deadline - Instant::now(),
            };
            if timeout(limit, changes.changed()).await.is_err() {
                return false;
            }
        }
        false
    }

    async fn list_all(&self) -> Result<(), StepError> {
        for resource in Resource::JUDGED {
            self.world.api.list(resource, self.recorder()).await?;
        }
        Ok(())
    }

    /// Makes a volume, waits for its mirror, removes it, waits for its mirror to go.
    async fn probe(&self, number: u32) -> Result<(), StepError> {
        let name = format!("{PROBE_VOLUME_PREFIX}{number}");
        self.world.workload.create_volume(&name).await?;
        self.probe_mirrored(&name, true).await?;
        self.world.workload.remove_volume(&name).await?;
        self.probe_mirrored(&name, false).await
    }

    async fn probe_mirrored(&self, name: &str, wanted: bool) -> Result<(), StepError> {
        let key = MirrorKey::Volume(name.to_owned());
        let what = if wanted { "the mirror of" } else { "the mirror to go of" };
        let what = format!("{what} a volume that came after everything else");
        let seen = |view: &View| view.mirrors().iter().any(|mirror| mirror.key == key);
        self.until(what, |view| seen(view) == wanted).await
    }
}

/// What makes a state level.
struct Level {
    /// The daemon is where the App wants it, and nothing is in flight.
    in_place: bool,
    /// Mirrors equal objects.
    converged: bool,
    /// No user waits for anything.
    done: bool,
    /// The daemon does nothing about the docker command's configuration, and has nothing of a stopped
    /// App in it.
    config: bool,
}

impl Level {
    fn of(view: &View, event_streams: usize) -> Self {
        Self {
            in_place: is_in_place(view, event_streams) && view.in_flight().is_empty(),
            converged: view.differences().is_empty(),
            done: view.pending().is_empty(),
            config: if wants_mirrors(view) {
                !view.config_is_being_written()
            } else {
                view.config_is_cleared()
            },
        }
    }

    fn is_reached(&self) -> bool {
        self.in_place && self.converged && self.done && self.config
    }
}

fn wants_mirrors(view: &View) -> bool {
    view.app().is_some_and(|app| app.wants_running && app.engine == "moby")
}

/// The daemon is where the App wants it: connected and subscribed, or done with its engine.
fn is_in_place(view: &View, event_streams: usize) -> bool {
    let Some(app) = view.app() else { return true };
    if wants_mirrors(view) {
        return app.holds("ContainerEngineReady", "True") && event_streams > 0;
    }
    matches!(app.condition("ContainerEngineReady"), Some((_, "Stopped" | "NotApplicable")))
}

#[cfg(test)]
mod tests {
    use racetrap_history::{
        CONFIG_FILE, DockerContent, DockerFile, DockerUser, FileChange, ProcessState, Record, View,
        What,
    };
    use rstest::rstest;
    use serde_json::json;

    use super::Level;

    const OURS: &str = "rancher-desktop-7";
    const TORN: &str = ".config.json.rancher-desktop-7.x";

    fn file(path: &str, how: FileChange, holds: DockerContent) -> What {
        What::DockerFile(DockerFile { path: path.to_owned(), how, by_user: false, holds })
    }

    fn torn() -> What {
        file(TORN, FileChange::Made, DockerContent::Other)
    }

    fn torn_is_gone() -> What {
        file(TORN, FileChange::Removed, DockerContent::Nothing)
    }

    fn context(name: &str) -> What {
        let holds = DockerContent::Context { host: None };
        file(&format!("contexts/{name}"), FileChange::Changed, holds)
    }

    fn current(name: &str) -> What {
        let current = Some(name.to_owned()).filter(|name| !name.is_empty());
        let holds = DockerContent::Config { current, members: [].into() };
        file(CONFIG_FILE, FileChange::Replaced, holds)
    }

    fn daemon(state: ProcessState) -> What {
        What::Process { name: "daemon".to_owned(), pid: 1, started: 1, state }
    }

    fn level(running: bool, then: Vec<What>) -> Level {
        let (status, reason) = if running { ("True", "Connected") } else { ("False", "Stopped") };
        let ready = json!({ "type": "ContainerEngineReady", "status": status, "reason": reason,
                            "message": "", "observedGeneration": 1 });
        let app = json!({ "metadata": { "name": "app", "generation": 1 },
                          "spec": { "running": running, "containerEngine": { "name": "moby" } },
                          "status": { "conditions": [ready] } });
        let user = DockerUser { context: OURS.to_owned(), overruled: false, about: true };
        let list = What::Listed { resource: "apps".to_owned(), version: 1, objects: vec![app] };
        let mut view = View::default();
        for (seq, what) in (0..).zip([What::DockerUser(user), list].into_iter().chain(then)) {
            view.apply(&Record { seq, at_us: seq, neighbour: false, what });
        }
        Level::of(&view, 1)
    }

    // What a running daemon is about to put in the configuration's place is no state to judge, and what
    // its killed predecessor has left may stay until it stops; then nothing may. A checkpoint a moment
    // too early would call either a fault.
    #[rstest]
    #[case::nothing_has_happened(vec![], true, true)]
    #[case::another_context(vec![context("mine"), current("mine")], true, true)]
    #[case::ours_while_it_runs(vec![context(OURS), current(OURS)], true, false)]
    #[case::ours_has_gone(vec![context(OURS), current(OURS), current(""),
        file("contexts/rancher-desktop-7", FileChange::Removed, DockerContent::Nothing)], true, true)]
    #[case::it_is_only_current(vec![current(OURS)], true, false)]
    #[case::a_write_is_under_way(vec![torn()], false, false)]
    #[case::a_write_is_done(vec![torn(), torn_is_gone()], true, true)]
    #[case::a_killed_one_left_it(vec![torn(), daemon(ProcessState::Started)], true, false)]
    fn the_configuration_is_level(
        #[case] then: Vec<What>,
        #[case] running: bool,
        #[case] stopped: bool,
    ) {
        assert_eq!(level(true, then.clone()).is_reached(), running);
        assert_eq!(level(false, then).is_reached(), stopped);
    }
}
