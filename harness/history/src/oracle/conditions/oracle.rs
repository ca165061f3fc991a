//! A condition is true when the daemon reports it, and a command's exit code and text are true.
//!
//! - `ContainerEngineReady=False/ConnectFailed` implies that the daemon could not reach the engine, or
//!   that the engine refused a request that a full sync needs (contract 4.1, error policy; 4.5). A 404
//!   for an inspected object is not such a refusal. A request that the daemon gave up without an answer
//!   and an engine whose process has just ended or begun are such reasons.
//! - If `Settled` becomes `True` at a generation of an App that runs moby, `ContainerEngineReady` is
//!   `True` at the same generation (contract 3.7, rule 8). This is judged only when `Settled` changes: if
//!   the engine is lost later, the daemon first writes `ContainerEngineReady` and then `Settled`. If no
//!   manager runs the engine's controller, `Settled` says nothing about an engine (rules 5, 6 and 8) or
//!   about mirrors.
//! - The contract lists every reason of a condition (`reasons`).
//! - `Settled` and `ContainerEngineReady` follow from the specification and from the other conditions
//!   (`settled`).
//! - Conditions tell the truth about a stop (`stop`).
//! - `KubernetesReady` tells the truth about the guest's Kubernetes (`kubernetes`).
//! - The exit code and the text of a command are true (`command`).

use super::app::{READY, SETTLED, runs_engine, shows_app};
use super::{command, kubernetes, reasons, settled, stop};
use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::disruption::ConnectionDisruption;
use crate::record::{ProcessState, Record, What};
use crate::scenario::{EngineStep, Step};
use crate::steps::Steps;
use crate::view::{AppView, View};

/// Judges every state of the App that the history shows, and every command.
#[must_use]
pub fn truthful_conditions(history: &[Record]) -> Finding {
    let mut finding = conditions(history);
    for judged in [
        command::judge(history),
        kubernetes::judge(history),
        reasons::judge(history),
        settled::judge(history),
        stop::judge(history),
    ] {
        finding.violations.extend(judged.violations);
        finding.unknowns.extend(judged.unknowns);
    }
    finding
}

fn conditions(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut disruption = ConnectionDisruption::default();
    let mut failed_before = false;
    let mut settled_at = None;
    let has_engine = runs_engine(history);
    let steps = Steps::from_history(history);
    for record in history {
        view.apply(record);
        match &record.what {
            What::Wire(message) => disruption.apply(message),
            // The world's own start of its engine is over before the daemon connects.
            What::Process { name, state, .. }
                if name == "engine" && *state != ProcessState::Started =>
            {
                disruption.engine_moves();
            }
            _ if steps.begun(record).is_some_and(moves_engine) => disruption.engine_moves(),
            _ => {}
        }
        if !shows_app(&record.what) {
            continue;
        }
        let Some(app) = view.app() else { continue };
        let failed = app.condition(READY) == Some(("False", "ConnectFailed"));
        // Only the change to `ConnectFailed` is judged: afterwards the condition may lag behind.
        if failed && !failed_before && !disruption.is_active() {
            finding.violated(
                Check::FailedWithoutCause,
                record.seq,
                format!(
                    "{}; but the engine was reachable and answered every request that a sync needs; \
                     the last response: {}",
                    app.describe(READY),
                    disruption.last_response()
                ),
            );
        }
        if app.condition(READY).is_some_and(|(status, _)| status == "True") {
            disruption.daemon_connected();
        }
        failed_before = failed;
        let settled = app.holds(SETTLED, "True").then_some(app.generation);
        if has_engine && settled.is_some() && settled != settled_at {
            judge_settled(&app, record.seq, &mut finding);
        }
        settled_at = settled;
    }
    finding
}

/// Whether a step ends the engine, stops it for a while, or lets it begin.
fn moves_engine(step: &Step) -> bool {
    matches!(step, Step::Engine(EngineStep::Process(_) | EngineStep::Guest(_)))
}

fn judge_settled(app: &AppView, seq: u64, finding: &mut Finding) {
    if app.wants_mirrors() && !app.holds(READY, "True") {
        let text = format!("{}; but {}", app.describe(SETTLED), app.describe(READY));
        finding.violated(Check::SettledWithoutEngine, seq, text);
    }
}
