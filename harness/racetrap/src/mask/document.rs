//! Documents of a known kind. What is no such document is left out: nobody knows what is in it.

use std::fmt;

use serde_json::Value;

use super::hits::Hits;
use super::kubeconfig::is_kubeconfig;
use super::masker::Masker;
use super::place::Place;

/// What a document is supposed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// What the engine answers: inspect, list, info, an event.
    Docker,
    /// An object of a Kubernetes API, or a list of them.
    Kubernetes,
    /// A kubeconfig.
    Kubeconfig,
    /// The Docker CLI's config.json.
    DockerConfig,
}

/// A document that must not be shown, because it is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("left out: it is no {kind}, so that nothing in it can be told from a secret")]
pub(crate) struct LeftOut {
    kind: DocumentKind,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "answer of an engine",
            Self::Kubernetes => "object of a Kubernetes API",
            Self::Kubeconfig => "kubeconfig",
            Self::DockerConfig => "Docker configuration",
        })
    }
}

impl Masker {
    /// Masks a document in place.
    ///
    /// # Errors
    /// Where it is none of its kind; then it must be left out.
    pub(crate) fn document(&self, kind: DocumentKind, value: &mut Value) -> Result<Hits, LeftOut> {
        let is_object =
            |value: &Value| value["kind"].is_string() && value["apiVersion"].is_string();
        let fits = match kind {
            DocumentKind::Docker => value.is_object() || value.is_array(),
            DocumentKind::Kubernetes => is_object(value),
            DocumentKind::Kubeconfig => is_kubeconfig(value),
            DocumentKind::DockerConfig => value.is_object(),
        };
        if !fits {
            return Err(LeftOut { kind });
        }
        let mut hits = Hits::default();
        match kind {
            DocumentKind::Docker | DocumentKind::Kubernetes => {
                self.tree(value, &Place::ROOT, &mut hits)
            }
            DocumentKind::Kubeconfig => self.kubeconfig(value, &mut hits),
            DocumentKind::DockerConfig => self.docker_config(value, &mut hits),
        }
        Ok(hits)
    }

    /// Masks a document that is JSON, and gives it as JSON, indented.
    ///
    /// # Errors
    /// Where it is no JSON, or none of its kind.
    pub(crate) fn json(&self, kind: DocumentKind, text: &[u8]) -> Result<(String, Hits), LeftOut> {
        let mut value = serde_json::from_slice(text).map_err(|_| LeftOut { kind })?;
        let hits = self.document(kind, &mut value)?;
        Ok((format!("{value:#}\n"), hits))
    }

    /// Masks a document that is YAML, and gives it as YAML.
    ///
    /// # Errors
    /// Where it is no YAML, or none of its kind.
    pub(crate) fn yaml(&self, kind: DocumentKind, text: &str) -> Result<(String, Hits), LeftOut> {
        // What the parser says may quote the text.
        let mut value: Value = serde_yaml::from_str(text).map_err(|_| LeftOut { kind })?;
        let hits = self.document(kind, &mut value)?;
        let text = serde_yaml::to_string(&value).map_err(|_| LeftOut { kind })?;
        Ok((text, hits))
    }
}
