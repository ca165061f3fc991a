//! The contract lists every reason of a condition (contract 3.7; finding 350-S3). Clients branch on
//! reasons, so a reason that is spelt differently breaks them.

use std::collections::BTreeSet;

use super::app::{READY, SETTLED, shows_app};
use super::kubernetes::KUBERNETES;
use crate::check::Check;
use crate::oracle::Finding;
use crate::record::Record;
use crate::view::View;

/// Reasons of `ContainerEngineReady`. Only R0 has `Disconnected` (contract 9). `StopFailed` means that
/// something could not be stopped; the contract has no reason for a sweep that failed.
const ENGINE_REASONS: [&str; 6] =
    ["Connected", "NotApplicable", "ConnectFailed", "Stopped", "StopFailed", "Disconnected"];

/// Reasons of `Settled` itself, and the reasons of other conditions that it forwards.
const SETTLED_REASONS: [&str; 21] = [
    "Settled",
    "ApplyingTemplate",
    "WaitingForLimaVM",
    "WaitingForEngine",
    "EngineStale",
    "WaitingForKubernetes",
    "KubernetesStale",
    // Forwarded from `Running`.
    "Reconciling",
    "Starting",
    "Started",
    "StartFailed",
    "StopFailed",
    // Forwarded from `Running` or `ContainerEngineReady`.
    "Stopped",
    "ConnectFailed",
    "Disconnected",
    // Forwarded from `KubernetesReady`.
    "Ready",
    "NotApplicable",
    "NotRunning",
    "Probing",
    "WaitingForNode",
    "MergeFailed",
];

/// Reasons of `KubernetesReady`.
const KUBERNETES_REASONS: [&str; 6] =
    ["Ready", "NotApplicable", "NotRunning", "Probing", "WaitingForNode", "MergeFailed"];

/// Judges each reason once, at the first record that shows it.
pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut reported = BTreeSet::new();
    let mut vm_reasons = BTreeSet::new();
    for record in history.iter().filter(|record| shows_app(&record.what)) {
        view.apply(record);
        let Some(app) = view.app() else { continue };
        // In VM mode `api` the harness writes `Running`, so the daemon only forwards its reasons.
        vm_reasons.extend(app.condition("Running").map(|(_, reason)| reason.to_owned()));
        let known = [
            (READY, &ENGINE_REASONS[..]),
            (KUBERNETES, &KUBERNETES_REASONS),
            (SETTLED, &SETTLED_REASONS),
        ];
        for (kind, known) in known {
            let Some((_, reason)) = app.condition(kind) else { continue };
            let forwarded = kind == SETTLED && vm_reasons.contains(reason);
            if !known.contains(&reason) && !forwarded && reported.insert(reason.to_owned()) {
                let text = format!("{}: the contract has no such reason", app.describe(kind));
                finding.violated(Check::UnknownReason, record.seq, text);
            }
        }
    }
    finding
}
