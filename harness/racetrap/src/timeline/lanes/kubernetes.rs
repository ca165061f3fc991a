//! The guest's Kubernetes: its state, the daemon's requests to it, and the user's kubeconfig.

use racetrap_history::{KubernetesState, What};

use super::{Row, Source, Tone, wire};

pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let states = source.marks(|what| match what {
        What::Kubernetes { state: KubernetesState::Ready } => Some(Tone::Good),
        What::Kubernetes { state: KubernetesState::NotReady } => Some(Tone::Doubt),
        What::Kubernetes { state: KubernetesState::Absent } => Some(Tone::Fault),
        _ => None,
    });
    let files = source.marks(|what| matches!(what, What::Kubeconfig(_)).then_some(Tone::Changed));
    let mut rows = vec![Row::new("state", states)];
    rows.extend(wire::rows(source, wire::Which::Kubernetes));
    rows.push(Row::new("kubeconfig", files));
    rows
}
