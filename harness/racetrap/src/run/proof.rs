//! The proof that a daemon which has not done something by now will not do it any more, so that a wait
//! can end before its deadline.
//!
//! A daemon acts because something happened, or because a timer of its own is due. The proof needs both:
//!
//! 1. Nothing goes on whose end others decide: no request to the engine, no command in the background, no
//!    write at a gate, no VM that boots or stops, no mirrors that a stop still removes, no Kubernetes.
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
    // When the daemon last answered the harness, if nothing happened since.
    let mut answered: Option<Duration> = None;
    loop {
        changes.borrow_and_update();
        let now = scene.recorder().clock().elapsed();
        let silence = scene.recorder().with_view(|view| Silence::from_view(view, scene.is_slowed));
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
