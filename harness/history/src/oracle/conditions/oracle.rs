//! A condition, and a command that returned, imply the state that they promise.
//!
//! - `ContainerEngineReady=False/ConnectFailed` implies that the engine could not be reached or
//!   refused what a full sync needs (contract 4.1, error policy; 4.5). An object that was not found
//!   when it was inspected is no such reason.
//! - `Settled` that becomes `True` at a generation of an App that runs moby implies `ContainerEngineReady=True` at
//!   the same generation (contract 3.7, rule 8). An engine that is lost later is another condition's
//!   to tell first: the two are written one after the other. Where no manager runs the engine's
//!   controller, `Settled` says nothing of an engine (rules 5, 6 and 8), nor of mirrors.
//! - Every reason is one of the contract's (`reasons`).
//! - What is said of a stop is so (`stop`).
//! - What a command says by its exit code and text is so (`command`).

use super::app::{READY, SETTLED, runs_engine, shows_app};
use super::{command, reasons, stop};
use crate::oracle::Finding;
use crate::oracle::excuse::Excuse;
use crate::record::{Record, What};
use crate::scenario::OracleName;
use crate::view::{AppView, View};

/// Judges every App that a client saw, and every command that was run.
#[must_use]
pub fn truthful_conditions(history: &[Record]) -> Finding {
    let mut finding = conditions(history);
    for judged in [command::judge(history), reasons::judge(history), stop::judge(history)] {
        finding.violations.extend(judged.violations);
        finding.unknowns.extend(judged.unknowns);
    }
    finding
}

fn conditions(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut excuse = Excuse::default();
    let mut failed_before = false;
    let mut settled_at = None;
    let has_engine = runs_engine(history);
    for record in history {
        view.apply(record);
        if let What::Wire(message) = &record.what {
            excuse.see(message);
        }
        if !shows_app(&record.what) {
            continue;
        }
        let Some(app) = view.app() else { continue };
        let failed = app.condition(READY) == Some(("False", "ConnectFailed"));
        if failed && !failed_before && !excuse.holds() {
            finding.violated(
                OracleName::TruthfulConditions,
                record.seq,
                format!(
                    "{}; but the engine was reachable and answered all that a sync needs, last: {}",
                    app.describe(READY),
                    excuse.last()
                ),
            );
        }
        if app.condition(READY).is_some_and(|(status, _)| status == "True") {
            excuse.connected();
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

fn judge_settled(app: &AppView, seq: u64, finding: &mut Finding) {
    if app.wants_mirrors() && !app.holds(READY, "True") {
        let text = format!("{}; yet {}", app.describe(SETTLED), app.describe(READY));
        finding.violated(OracleName::TruthfulConditions, seq, text);
    }
}
