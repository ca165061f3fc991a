//! Every reason that a client saw is one of the contract's (contract 3.7; finding 350-S3): clients
//! branch on them, so that another spelling of one is another promise.

use std::collections::BTreeSet;

use super::app::{READY, SETTLED, shows_app};
use crate::oracle::Finding;
use crate::record::Record;
use crate::scenario::OracleName;
use crate::view::View;

/// Reasons of `ContainerEngineReady`. `Disconnected` is one of R0 alone (contract 9). `StopFailed`
/// is the contract's word for what would not stop; what a sweep says that failed is not in it.
const OF_ENGINE: [&str; 6] =
    ["Connected", "NotApplicable", "ConnectFailed", "Stopped", "StopFailed", "Disconnected"];

/// Reasons of `Settled` itself, and those of other conditions that it forwards.
const OF_SETTLED: [&str; 21] = [
    "Settled",
    "ApplyingTemplate",
    "WaitingForLimaVM",
    "WaitingForEngine",
    "EngineStale",
    "WaitingForKubernetes",
    "KubernetesStale",
    // Of `Running`.
    "Reconciling",
    "Starting",
    "Started",
    "StartFailed",
    "StopFailed",
    // Of `Running`, or of the engine.
    "Stopped",
    "ConnectFailed",
    "Disconnected",
    // Of `KubernetesReady`.
    "Ready",
    "NotApplicable",
    "NotRunning",
    "Probing",
    "WaitingForNode",
    "MergeFailed",
];

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut told = BTreeSet::new();
    let mut of_vm = BTreeSet::new();
    for record in history.iter().filter(|record| shows_app(&record.what)) {
        view.apply(record);
        let Some(app) = view.app() else { continue };
        // In VM mode `api` the reasons of `Running` are the harness's own.
        of_vm.extend(app.condition("Running").map(|(_, reason)| reason.to_owned()));
        for (kind, known) in [(READY, &OF_ENGINE[..]), (SETTLED, &OF_SETTLED[..])] {
            let Some((_, reason)) = app.condition(kind) else { continue };
            let forwarded = kind == SETTLED && of_vm.contains(reason);
            if !known.contains(&reason) && !forwarded && told.insert(reason.to_owned()) {
                let text = format!("{}: the contract knows no such reason", app.describe(kind));
                finding.violated(OracleName::TruthfulConditions, record.seq, text);
            }
        }
    }
    finding
}
