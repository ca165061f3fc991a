//! `KubernetesReady` tells the truth about the guest's Kubernetes (contract 3.8).
//!
//! - It becomes `True` only after Kubernetes was asked for its health and its nodes since the last failure,
//!   answered both with 200, and had a node that is ready (3.8.3).
//! - While App and VM stay as they are, it becomes `False` only for a reason: a refusal, a node that is not
//!   ready, or more time-outs in a row than are tolerated (3.8.4).
//! - It does not stay `True` when Kubernetes refuses connections (3.8.5).
//! - Its reason is one of the contract's, `True` means `Ready`, and at a checkpoint the reason agrees with
//!   the specification and the VM (3.7.11).
//!
//! The history has no body of an answer, so which node was ready follows from the state of the stand-in. A
//! rule that changes an answer makes what it says unknown, until the daemon asks again.

use super::app::shows_app;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::KubernetesState;
use crate::view::{AppView, View};

/// The condition of the guest's Kubernetes.
pub(super) const KUBERNETES: &str = "KubernetesReady";

/// How many time-outs in a row every revision tolerates.
const SILENCES_MAX: u32 = 2;

/// How long the condition may stay `True` after Kubernetes has begun to refuse: the pause between two
/// probes, the limit of one, and what a busy machine takes, in microseconds.
const LATE_US: u64 = 25_000_000;

/// What the daemon can know of the guest's Kubernetes.
#[derive(Default)]
struct Known {
    state: Option<KubernetesState>,
    /// The state when the nodes were answered last; `None` if the answer was not a 200.
    nodes: Option<KubernetesState>,
    is_healthy: bool,
    /// Probes without an answer since the last one.
    unanswered: u32,
    /// Since the condition became `True`: something but silence happened that makes it `False`.
    is_refused: bool,
    /// A rule has changed a message since the condition last changed.
    is_changed: bool,
    /// The exchange that waits for its answer, and whether it asks for the nodes.
    open: Option<(u64, bool)>,
    /// Since when the condition must not be `True`, if it must not.
    bad_since: Option<u64>,
}

impl Known {
    fn state_changed(&mut self, state: KubernetesState, at_us: u64) {
        self.state = Some(state);
        // Without a ready node, `True` may stay and may end.
        self.is_refused |= state != KubernetesState::Ready;
        match state {
            KubernetesState::Ready | KubernetesState::NotReady => self.bad_since = None,
            KubernetesState::Absent => {
                self.bad_since.get_or_insert(at_us);
            }
        }
    }

    fn apply(&mut self, message: &WireMessage) {
        match &message.event {
            WireWhat::Request { route, .. } => {
                let is_nodes = match route.as_deref() {
                    Some("/healthz") => false,
                    Some("/api/v1/{plural}") => true,
                    _ => return,
                };
                self.unanswered += 1;
                self.open = Some((message.exchange, is_nodes));
            }
            WireWhat::Response { status } => {
                let Some((exchange, is_nodes)) = self.open else { return };
                if exchange != message.exchange {
                    return;
                }
                self.unanswered = 0;
                self.is_refused |= *status != 200;
                if is_nodes {
                    self.nodes = self.state.filter(|_| *status == 200);
                } else {
                    self.is_healthy = *status == 200;
                }
            }
            WireWhat::Faulted { .. } => self.is_changed = true,
            WireWhat::Cut | WireWhat::UpstreamLost { .. } | WireWhat::Malformed { .. } => {
                self.is_refused = true;
            }
            _ => {}
        }
    }

    /// Why the condition must not have become `True`.
    fn not_ready(&self) -> Option<&'static str> {
        if self.is_changed {
            return None;
        }
        match (self.is_healthy, self.nodes) {
            (false, _) => Some("Kubernetes has not answered that it is healthy"),
            (true, None) => Some("Kubernetes has not answered which nodes it has"),
            (true, Some(KubernetesState::Ready)) => None,
            (true, Some(_)) => Some("no node of Kubernetes was ready"),
        }
    }
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut known = Known::default();
    let mut last: Option<AppView> = None;
    let mut at_level: Option<AppView> = None;
    for record in history {
        view.apply(record);
        let mut violated = |check, text| {
            finding.violated(check, record.seq, text);
        };
        match &record.what {
            What::Kubernetes { state } => known.state_changed(*state, record.at_us),
            What::KubernetesWire(message) => known.apply(message),
            // The daemon forgets what it knew, and whoever reads its conditions must not rely on them.
            What::Process { name, .. } if name == "daemon" => last = None,
            What::Checkpoint { stage: Stage::Level, .. } => at_level = view.app(),
            What::Checkpoint { number, stage: Stage::Probed } => {
                let app = view.app().filter(|app| at_level.as_ref() == Some(app));
                if let Some(text) = app.and_then(|app| disagreement(&app)) {
                    violated(Check::KubernetesDisagrees, format!("checkpoint {number}: {text}"));
                }
            }
            _ => {}
        }
        if let (Some(app), Some(since)) = (&last, known.bad_since)
            && is_ready(app)
            && is_kept(app, app)
            && record.at_us.saturating_sub(since) > LATE_US
        {
            let state = known.state.map_or("unknown", KubernetesState::word);
            let text = format!("{}; but Kubernetes is {state}", app.describe(KUBERNETES));
            violated(Check::KubernetesStaysReady, text);
            // Once is enough: it does not become worse.
            known.bad_since = None;
        }
        if !shows_app(&record.what) {
            continue;
        }
        let Some(app) = view.app() else { continue };
        if let Some(before) = last.replace(app.clone()) {
            change(&before, &app, &mut known, &mut violated);
        }
    }
    finding
}

/// Judges one change of the condition.
fn change(
    before: &AppView,
    app: &AppView,
    known: &mut Known,
    violated: &mut impl FnMut(Check, String),
) {
    let (was_ready, is_ready_now) = (is_ready(before), is_ready(app));
    if was_ready == is_ready_now {
        return;
    }
    let described = app.describe(KUBERNETES);
    if is_ready_now {
        if let Some(why) = known.not_ready() {
            violated(Check::KubernetesReadyEarly, format!("{described}; but {why}"));
        }
        known.is_refused = known.state.is_some_and(|state| state != KubernetesState::Ready);
    } else {
        // The probe that decides may still be unanswered when the condition is seen.
        let is_silent = known.unanswered > SILENCES_MAX;
        if is_kept(before, app) && !known.is_refused && !is_silent && !known.is_changed {
            let unanswered = known.unanswered;
            let text = format!(
                "{described}; but Kubernetes has refused nothing, and left {unanswered} probes \
                 without an answer, of which {SILENCES_MAX} are tolerated"
            );
            violated(Check::KubernetesFailedWithoutCause, text);
        }
        (known.is_healthy, known.nodes) = (false, None);
    }
    known.is_changed = false;
}

fn is_ready(app: &AppView) -> bool {
    app.condition(KUBERNETES).is_some_and(|(status, _)| status == "True")
}

/// Whether the App wants Kubernetes in a VM that runs, before and after.
fn is_kept(before: &AppView, app: &AppView) -> bool {
    let wants = |app: &AppView| {
        let runs = app.condition("Running").is_some_and(|(status, _)| status == "True");
        app.wants_running && app.wants_kubernetes && runs
    };
    wants(before) && wants(app)
}

/// A contradiction between the condition and the state of the App, once nothing changes.
fn disagreement(app: &AppView) -> Option<String> {
    let (status, reason) = app.condition(KUBERNETES)?;
    let runs = app.condition("Running")?.0 == "True";
    let fits = if !app.wants_kubernetes {
        reason == "NotApplicable"
    } else if !runs {
        reason == "NotRunning"
    } else {
        ["Ready", "Probing", "WaitingForNode", "MergeFailed"].contains(&reason)
    };
    let is_current = app.observed_generation(KUBERNETES) >= Some(app.generation);
    if fits && is_current && (status == "True") == (reason == "Ready") {
        return None;
    }
    let kubernetes = if app.wants_kubernetes { "is enabled" } else { "is not enabled" };
    let vm = if runs { "runs" } else { "does not run" };
    Some(format!("{}; but Kubernetes {kubernetes}, and the VM {vm}", app.describe(KUBERNETES)))
}
