//! The proof that a daemon which has not done something by now will not do it any more, so that a wait
//! can end before its deadline.
//!
//! A daemon acts because something happened, or because a timer of its own is due. The proof needs both:
//!
//! 1. Nothing goes on whose end others decide: no request to the engine, no command in the background, no
//!    write at a gate, no VM that boots or stops, no mirrors that a stop still removes, no Kubernetes, no
//!    emulated engine.
//! 2. Nothing has happened for as long as the longest timer that the contract lets run in silence
//!    ([`LONGEST_TIMER`]), and for as long as the run took until then. The second rules out retries: their
//!    delay grows by doubling, so the next attempt comes no later after the last one than the last
//!    one came after the first. Lists that the engine answers are no happening, because a daemon that
//!    compares its mirrors now and then sends them for ever.
//! 3. The daemon has had its turn since: it answered a request, and nothing at all was recorded for
//!    [`TURN`] after that. So a timer that fires late, because the machine is slow, is not missed.
//!
//! If one of these cannot be shown, the wait lasts until its deadline, as it would without a proof.

use std::time::Duration;

use racetrap_history::{AppView, View};
use tokio::time::timeout;

use super::scene::Scene;
use crate::daemon::Resource;

/// The longest timer of a daemon that may run while nothing shows it: a daemon whose event stream has been
/// quiet for 10 s compares its mirrors, and once more after another second (contract 4.5.6, 4.2.15). A
/// decision about the current context takes 3 s (contract 5.2), and the longest pause between retries that
/// was seen without any earlier sign is shorter than 10 s (contract 4.3.8). Longer timers belong to what
/// the first condition excludes.
const LONGEST_TIMER: Duration = Duration::from_secs(11);

/// How long nothing at all may be recorded after the daemon has answered.
const TURN: Duration = Duration::from_secs(2);

/// Returns when nothing that the daemon does can change the state any more. Never returns if that cannot
/// be proved.
pub(super) async fn nothing_is_due(scene: &Scene) {
    let mut changes = scene.recorder().changes();
    // Neither bytes that pass slowly nor an emulated engine at work leaves a record.
    let is_slowed = scene.is_slowed || scene.world.engine.is_in_guest();
    // When the daemon last answered the harness, if nothing happened since.
    let mut answered: Option<Duration> = None;
    loop {
        changes.borrow_and_update();
        let now = scene.recorder().clock().elapsed();
        let silence = scene.recorder().with_view(|view| Silence::from_view(view, is_slowed));
        answered = answered.filter(|at| silence.is_some_and(|silence| silence.effect < *at));
        let left = match silence {
            None => None,
            Some(silence) if silence.has_died || answered.is_some() => {
                Some(left(silence.last, TURN, now))
            }
            Some(silence) => Some(left(silence.effect, silence.needed(), now)),
        };
        match left {
            // Cancel-safe: `changes` keeps what it has not shown yet.
            None => {
                if changes.changed().await.is_err() {
                    std::future::pending().await
                }
            }
            Some(left) if !left.is_zero() => {
                let _ = timeout(left, changes.changed()).await;
            }
            Some(_) if answered.is_some() || silence.is_some_and(|silence| silence.has_died) => {
                return;
            }
            Some(_) if answers(scene).await => answered = Some(scene.recorder().clock().elapsed()),
            // A daemon that does not answer may be slow, so its time is not over.
            Some(_) => std::future::pending().await,
        }
    }
}

/// How much of `needed` is left at `now`, if it began at `since`.
fn left(since: Duration, needed: Duration, now: Duration) -> Duration {
    (since + needed).saturating_sub(now)
}

/// Whether the daemon answers a request within [`TURN`].
async fn answers(scene: &Scene) -> bool {
    let listing = scene.world.api.list(Resource::Apps, scene.recorder());
    timeout(TURN, listing).await.is_ok_and(|listed| listed.is_ok())
}

/// How long nothing has happened in a world in which nothing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Silence {
    /// When the last record came.
    last: Duration,
    /// When something last happened.
    effect: Duration,
    /// The daemon's process has ended by itself, so it has no timer.
    has_died: bool,
}

impl Silence {
    /// The silence of a view; none if something goes on whose end others decide.
    fn from_view(view: &View, is_slowed: bool) -> Option<Self> {
        let has_died = view.has_daemon_died();
        let goes_on = is_slowed
            || view.waits_for_others()
            || !has_died && view.app().is_some_and(|app| !is_at_rest(&app));
        (!goes_on).then(|| Self {
            last: Duration::from_micros(view.last_us()),
            effect: Duration::from_micros(view.last_effect_us()),
            has_died,
        })
    }

    /// How long nothing may happen.
    fn needed(self) -> Duration {
        LONGEST_TIMER.max(self.effect)
    }
}

/// Whether the VM runs or is stopped, as the App wants it, and a daemon that has to leave its engine says
/// that it has left. A daemon that does not say so may still be waiting for what keeps a mirror.
fn is_at_rest(app: &AppView) -> bool {
    let vm = app.condition("Running").map(|(_, reason)| reason);
    let is_vm_at_rest = vm == Some(if app.wants_running { "Started" } else { "Stopped" });
    // The condition must be of the present generation: an earlier one is about what was wanted before.
    let has_left = || {
        let engine = app.condition("ContainerEngineReady");
        engine.is_some_and(|(status, reason)| {
            matches!(reason, "Stopped" | "NotApplicable")
                && app.holds("ContainerEngineReady", status)
        })
    };
    !app.wants_kubernetes && is_vm_at_rest && (app.wants_mirrors() || has_left())
}

#[cfg(test)]
mod tests {
    use racetrap_history::{Exit, ProcessState, Record, What};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn condition(kind: &str, reason: &str, generation: i64) -> Value {
        let status = if matches!(reason, "Stopped") { "False" } else { "True" };
        json!({ "type": kind, "status": status, "reason": reason, "message": "",
                "observedGeneration": generation })
    }

    /// An App of generation 2, whose engine's condition is of generation `of`.
    fn app(running: bool, vm: &str, engine: &str, of: i64, kubernetes: bool) -> AppView {
        AppView::read(&json!({
            "metadata": { "name": "app", "generation": 2 },
            "spec": { "running": running, "containerEngine": { "name": "moby" },
                      "kubernetes": { "enabled": kubernetes } },
            "status": { "conditions": [
                condition("Running", vm, 2), condition("ContainerEngineReady", engine, of),
            ] },
        }))
    }

    // What is not at rest has timers of its own, of up to minutes.
    #[rstest]
    #[case::runs(app(true, "Started", "Connected", 2, false), true)]
    #[case::boots(app(true, "Starting", "Connected", 2, false), false)]
    #[case::kubernetes(app(true, "Started", "Connected", 2, true), false)]
    #[case::stopped(app(false, "Stopped", "Stopped", 2, false), true)]
    #[case::the_vm_stops(app(false, "Started", "Stopped", 2, false), false)]
    #[case::mirrors_are_kept(app(false, "Stopped", "Connected", 2, false), false)]
    #[case::it_has_not_begun_to_stop(app(false, "Stopped", "Stopped", 1, false), false)]
    fn only_a_world_at_rest_can_be_proved(#[case] app: AppView, #[case] at_rest: bool) {
        assert_eq!(is_at_rest(&app), at_rest);
    }

    fn silence(whats: Vec<What>, at_us: u64) -> Option<Silence> {
        let mut view = View::default();
        for (seq, what) in (0..).zip(whats) {
            view.apply(&Record { seq, at_us, neighbour: false, what });
        }
        Silence::from_view(&view, false)
    }

    fn daemon(state: ProcessState) -> What {
        What::Process { name: "daemon".to_owned(), pid: 1, started: 1, state }
    }

    // A retry's next delay is as long as all earlier ones together, so it may be as long as the run.
    #[test]
    fn a_run_that_took_longer_needs_a_longer_silence() {
        let started = || vec![daemon(ProcessState::Started)];
        let needed = |at_us| silence(started(), at_us).map(Silence::needed);
        assert_eq!(needed(1_000_000), Some(LONGEST_TIMER));
        assert_eq!(needed(25_000_000), Some(Duration::from_secs(25)));
        let mut view = View::default();
        view.apply(&Record { seq: 0, at_us: 0, neighbour: false, what: started().remove(0) });
        assert_eq!(Silence::from_view(&view, true), None, "bytes that pass slowly leave no record");
    }

    #[test]
    fn a_daemon_that_has_died_has_no_timer_until_it_is_started_again() {
        let died = || daemon(ProcessState::Died { exit: Exit::Signal(9) });
        let has_died = |whats| silence(whats, 1).map(|silence| silence.has_died);
        assert_eq!(has_died(vec![died()]), Some(true));
        assert_eq!(has_died(vec![died(), daemon(ProcessState::Started)]), Some(false));
    }
}
