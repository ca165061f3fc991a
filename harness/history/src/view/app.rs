//! The App: its desired state and its conditions.

use std::collections::BTreeMap;

use serde_json::Value;

/// One state of the App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    /// `metadata.generation`.
    pub generation: i64,
    /// `spec.running`.
    pub wants_running: bool,
    /// `spec.containerEngine.name`.
    pub engine: String,
    /// `spec.kubernetes.enabled`.
    pub wants_kubernetes: bool,
    /// `status.kubernetesPort`.
    pub kubernetes_port: Option<u16>,
    conditions: BTreeMap<String, Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    status: String,
    reason: String,
    message: String,
    observed_generation: i64,
}

impl AppView {
    /// Reads an App object.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        let conditions = object
            .pointer("/status/conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|condition| {
                let text = |key: &str| {
                    condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let observed_generation =
                    condition.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default();
                (
                    text("type"),
                    Condition {
                        status: text("status"),
                        reason: text("reason"),
                        message: text("message"),
                        observed_generation,
                    },
                )
            })
            .collect();
        // `moby` is the default of the App's schema.
        let engine = object.pointer("/spec/containerEngine/name").and_then(Value::as_str);
        Self {
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            wants_running: object
                .pointer("/spec/running")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            engine: engine.unwrap_or("moby").to_owned(),
            wants_kubernetes: object
                .pointer("/spec/kubernetes/enabled")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            kubernetes_port: object
                .pointer("/status/kubernetesPort")
                .and_then(Value::as_u64)
                .and_then(|port| u16::try_from(port).ok()),
            conditions,
        }
    }

    /// Whether the daemon must have mirrors at all: the App wants to run on moby (contract 4.6).
    #[must_use]
    pub fn wants_mirrors(&self) -> bool {
        self.wants_running && self.engine == "moby"
    }

    /// Whether a condition has this status for the App's present generation. A condition of an earlier
    /// generation describes an earlier desired state, so it does not count.
    #[must_use]
    pub fn holds(&self, kind: &str, status: &str) -> bool {
        self.conditions.get(kind).is_some_and(|condition| {
            condition.status == status && condition.observed_generation >= self.generation
        })
    }

    /// Status and reason of a condition of any generation.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<(&str, &str)> {
        self.conditions
            .get(kind)
            .map(|condition| (condition.status.as_str(), condition.reason.as_str()))
    }

    /// The generation on which a condition is based; 0 if the condition does not say.
    #[must_use]
    pub fn observed_generation(&self, kind: &str) -> Option<i64> {
        self.conditions.get(kind).map(|condition| condition.observed_generation)
    }

    /// The types of all conditions that the App reports.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        self.conditions.keys().map(String::as_str)
    }

    /// Status, reason and generation of a condition: all of it but its message.
    pub(crate) fn condition_at(&self, kind: &str) -> Option<(&str, &str, i64)> {
        let condition = self.conditions.get(kind)?;
        Some((&condition.status, &condition.reason, condition.observed_generation))
    }

    /// A condition as a line of text, such as `Settled=False (EngineStale) at generation 2 of 3`.
    #[must_use]
    pub fn describe(&self, kind: &str) -> String {
        match self.conditions.get(kind) {
            None => format!("the App has no {kind}"),
            Some(condition) => format!(
                "{kind}={} ({}) at generation {} of {}: {}",
                condition.status,
                condition.reason,
                condition.observed_generation,
                self.generation,
                condition.message
            ),
        }
    }
}
