//! What becomes of the guest's Kubernetes.

use serde::{Deserialize, Serialize};

/// A step that changes the guest's Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KubernetesStep {
    /// Brings the guest's Kubernetes into a state.
    Kubernetes(KubernetesState),
}

/// The state of the guest's Kubernetes, which a stand-in plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KubernetesState {
    /// It is healthy, and its node is ready.
    Ready,
    /// It is healthy, and its node is not ready.
    NotReady,
    /// It refuses connections. Before another state, it has not written its kubeconfig either.
    Absent,
}

impl KubernetesState {
    /// The word of the scenario language for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not_ready",
            Self::Absent => "absent",
        }
    }
}
