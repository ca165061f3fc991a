//! Waits until the world is quiet, and proves that the daemon has had its turn.
//!
//! First the state must be level: the daemon has done what the App wants, no request is in flight, and
//! either mirrors equal objects or nothing at all has happened for a while. Then the harness creates
//! a volume on the engine and waits for the volume's mirror. The daemon handles events in the order of
//! their stream (contract 4.2), so it has handled every earlier event by then. The oracles judge the
//! state at both points, so how long anything takes decides nothing. A stopped App mirrors nothing, so
//! there is no such proof: a mirror that is still there at the deadline is late. So is one that is there
//! when the daemon has nothing left to do.

use std::time::Duration;

use racetrap_history::{AppView, MirrorKey, PROBE_VOLUME_PREFIX, Stage, View, What};
use tokio::time::{Instant, timeout, timeout_at};

use super::faults::Faults;
use super::logs::LogClients;
use crate::daemon::Resource;
use crate::run::proof::nothing_is_due;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// How long nothing may happen before a state that does not converge is called level. It decides only
/// how soon a broken daemon is found; the probe decides whether it is found.
pub(super) const STILL: Duration = Duration::from_millis(1500);

/// The same while a user's request is not fulfilled: the daemon may be between two attempts, with a
/// longer pause each time (contract 4.3: up to ten seconds were seen). A daemon that waits for a slow
/// disk to store a configuration shows nothing either.
const STILL_PENDING: Duration = Duration::from_secs(8);

/// Waits until the world is quiet, proves it, and marks the checkpoint.
pub(super) async fn settle(
    scene: &mut Scene,
    number: u32,
    faults: &Faults,
    logs: &LogClients,
) -> Result<(), StepError> {
    let deadline = Instant::now() + scene.deadline;
    let became_level = loop {
        let became_level = become_level(scene, deadline).await;
        scene.world.follow_engine().await?;
        scene.world.refresh_truth().await?;
        list_all(scene).await?;
        // Mirrors may equal objects for an instant in the middle of a change, or because the harness's
        // own watch had not shown yet what a user has written. The new lists tell.
        if !became_level || is_level(scene) {
            break became_level;
        }
    };
    logs.become_level(scene, deadline).await?;
    faults.require_happened(scene)?;
    mark(scene, number, Stage::Level, became_level).await;
    if scene.recorder().with_view(View::wants_mirrors) {
        probe(scene, number).await?;
        scene.world.truth.refresh().await?;
        list_all(scene).await?;
    }
    logs.record(scene).await?;
    mark(scene, number, Stage::Probed, became_level).await;
    Ok(())
}

/// Records the checkpoint: of a world that became level, at an instant at which it is level; of any
/// other world, at an instant at which no request is in flight. A daemon that retries has such
/// instants, and oracles judge no request of a user while one to the engine may be about it. A daemon
/// that has none, because it waits for its engine, is judged as it is.
async fn mark(scene: &Scene, number: u32, stage: Stage, became_level: bool) {
    let mut changes = scene.recorder().changes();
    let limit = Instant::now() + STILL;
    let checkpoint = What::Checkpoint { number, stage };
    scene.world.record_user_files();
    scene.world.record_vms();
    loop {
        changes.borrow_and_update();
        let level = level(scene);
        let is_quiet = |view: &View| {
            if became_level { level(view).is_reached() } else { view.in_flight().is_empty() }
        };
        if scene.recorder().append_if(is_quiet, checkpoint.clone()) {
            return;
        }
        if timeout_at(limit, changes.changed()).await.is_err() {
            return scene.recorder().append(checkpoint);
        }
    }
}

/// What makes a view level, by the event streams that the wire has open now.
fn level(scene: &Scene) -> impl Fn(&View) -> Level + use<> {
    let event_streams = scene.world.wire.status().event_streams;
    move |view| Level::from_view(view, event_streams)
}

fn is_level(scene: &Scene) -> bool {
    scene.recorder().with_view(level(scene)).is_reached()
}

/// Waits until the state is level, and says whether it is. At the deadline, or when the daemon has nothing
/// left to do, the state is judged as it is.
async fn become_level(scene: &Scene, deadline: Instant) -> bool {
    tokio::select! {
        // Both only look, so they are safe to cancel.
        biased;
        is_level = level_or_still(scene, deadline) => is_level,
        () = nothing_is_due(scene) => is_level(scene),
    }
}

/// Waits until the state is level, or until nothing has happened for a while.
async fn level_or_still(scene: &Scene, deadline: Instant) -> bool {
    let mut changes = scene.recorder().changes();
    while Instant::now() < deadline {
        changes.borrow_and_update();
        let level = scene.recorder().with_view(level(scene));
        if level.is_reached() {
            return true;
        }
        // A stopped App cannot be probed, so its mirrors may take the whole deadline to go. If only the
        // configuration is not cleared, the daemon may have failed to write it, and shows no retry.
        let may_be_still = level.in_place
            && (level.converged && level.done || scene.recorder().with_view(View::wants_mirrors));
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

async fn list_all(scene: &Scene) -> Result<(), StepError> {
    for resource in Resource::JUDGED {
        scene.world.api.list(resource, scene.recorder()).await?;
    }
    Ok(())
}

/// Creates a volume, waits for its mirror, removes it, and waits for the mirror to go.
async fn probe(scene: &Scene, number: u32) -> Result<(), StepError> {
    let name = format!("{PROBE_VOLUME_PREFIX}{number}");
    scene.world.workload.create_volume(&name).await?;
    probe_mirrored(scene, &name, true).await?;
    scene.world.workload.remove_volume(&name).await?;
    probe_mirrored(scene, &name, false).await
}

async fn probe_mirrored(scene: &Scene, name: &str, wanted: bool) -> Result<(), StepError> {
    let key = MirrorKey::Volume(name.to_owned());
    let what = if wanted { "the mirror of" } else { "the mirror to go of" };
    let what = format!("{what} a volume that came after everything else");
    let seen = |view: &View| view.mirrors().iter().any(|mirror| mirror.key == key);
    // The engine has created or removed the volume, and sends its events at once.
    scene.until_proof(what, |view| seen(view) == wanted, |_| true).await
}

/// What makes a state level.
struct Level {
    /// The daemon has done what the App wants, and no request is in flight.
    in_place: bool,
    /// Mirrors equal objects.
    converged: bool,
    /// Every request of a user is fulfilled.
    done: bool,
    /// The App says that it has settled, which another part of the daemon reports a moment later.
    settled: bool,
    /// The daemon writes nothing to the docker command's configuration, and need not; a stopped App has
    /// nothing in it.
    config: bool,
}

impl Level {
    fn from_view(view: &View, event_streams: usize) -> Self {
        Self {
            in_place: is_in_place(view, event_streams) && view.in_flight().is_empty(),
            converged: view.differences().is_empty(),
            done: view.pending().is_empty(),
            settled: is_settled(view),
            config: if view.wants_mirrors() {
                !view.config_is_being_written() && view.takeover_due().is_none()
            } else {
                view.config_is_cleared()
            },
        }
    }

    fn is_reached(&self) -> bool {
        self.in_place && self.converged && self.done && self.settled && self.config
    }
}

/// Whether the App has settled, and says of Kubernetes what holds at its present generation. To settle,
/// Kubernetes may take longer than a scenario waits, and older revisions say neither.
fn is_settled(view: &View) -> bool {
    view.app().is_none_or(|app| {
        let settled = app.wants_kubernetes
            || app.condition("Settled").is_none()
            || app.holds("Settled", "True");
        settled && is_present(&app, "KubernetesReady")
    })
}

/// Whether a condition of the App is there and not of an earlier generation, or not there at all. A condition
/// without a generation says nothing of that.
fn is_present(app: &AppView, condition: &str) -> bool {
    let generation = app.observed_generation(condition).unwrap_or_default();
    generation == 0 || generation >= app.generation
}

/// Whether the daemon has done what the App wants: it is connected and subscribed, or done with its
/// engine.
fn is_in_place(view: &View, event_streams: usize) -> bool {
    let Some(app) = view.app() else { return true };
    if !has_ended_kubernetes(&app) {
        return false;
    }
    if view.wants_mirrors() {
        return app.holds("ContainerEngineReady", "True") && event_streams > 0;
    }
    // A daemon that was told to stop while it connects has reported `Stopped` before, for the generation
    // that wanted to run.
    let condition = app.condition("ContainerEngineReady");
    is_present(&app, "ContainerEngineReady")
        && matches!(condition, Some((_, "Stopped" | "NotApplicable")))
}

/// Whether the daemon has done with the guest's Kubernetes, if the App does not want that to run.
fn has_ended_kubernetes(app: &AppView) -> bool {
    let goes_on = matches!(
        app.condition("KubernetesReady"),
        Some((_, "Ready" | "Probing" | "WaitingForNode" | "MergeFailed"))
    );
    app.wants_running && app.wants_kubernetes || !goes_on
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
        let path = path.to_owned();
        What::DockerFile(DockerFile { path, how, by_user: false, holds, attributes: None })
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
        Level::from_view(&view, 1)
    }

    // A daemon that connects is told to stop. Until it says so for this generation, it is about to connect,
    // and a checkpoint would call its work a fault.
    #[rstest]
    #[case::of_the_generation_before(1, false)]
    #[case::present(2, true)]
    #[case::of_no_generation(0, true)]
    fn a_stopped_app_is_level_at_its_present_generation(
        #[case] observed: i64,
        #[case] expected: bool,
    ) {
        let ready = json!({ "type": "ContainerEngineReady", "status": "False", "reason": "Stopped",
                            "message": "", "observedGeneration": observed });
        let app = json!({ "metadata": { "name": "app", "generation": 2 },
                          "spec": { "running": false, "containerEngine": { "name": "moby" } },
                          "status": { "conditions": [ready] } });
        let list = What::Listed { resource: "apps".to_owned(), version: 2, objects: vec![app] };
        assert_eq!(level(false, vec![list]).is_reached(), expected);
    }

    // The engine has stopped at this generation, and the App has settled at the one before, or says of
    // Kubernetes what held then. An App that is not settled keeps nothing from being still.
    #[rstest]
    #[case::before("True", 1, 2, false)]
    #[case::not_yet("False", 2, 2, false)]
    #[case::kubernetes_before("True", 2, 1, false)]
    #[case::kubernetes_of_no_generation("True", 2, 0, true)]
    #[case::present("True", 2, 2, true)]
    fn an_app_is_level_when_it_has_settled(
        #[case] status: &str,
        #[case] observed: i64,
        #[case] kubernetes: i64,
        #[case] expected: bool,
    ) {
        let condition = |kind: &str, status: &str, reason: &str, observed: i64| {
            json!({ "type": kind, "status": status, "reason": reason, "message": "",
                    "observedGeneration": observed })
        };
        let conditions = [
            condition("ContainerEngineReady", "False", "Stopped", 2),
            condition("Settled", status, "Settled", observed),
            condition("KubernetesReady", "False", "NotApplicable", kubernetes),
        ];
        let app = json!({ "metadata": { "name": "app", "generation": 2 },
                          "spec": { "running": false, "containerEngine": { "name": "moby" } },
                          "status": { "conditions": conditions } });
        let list = What::Listed { resource: "apps".to_owned(), version: 2, objects: vec![app] };
        let level = level(false, vec![list]);
        assert_eq!(level.is_reached(), expected);
        assert!(level.in_place && level.done);
    }

    // While a running daemon is about to replace the configuration, there is no state to judge. A file
    // that its killed predecessor has left may stay until the daemon stops. A checkpoint that came too
    // early would call either a fault.
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
