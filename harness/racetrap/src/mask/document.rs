//! Documents of a known kind. A document that is not of its kind is left out, because nothing could
//! find its secrets.

use std::fmt;

use serde_json::Value;

use super::hits::Hits;
use super::kubeconfig::is_kubeconfig;
use super::location::Location;
use super::masker::Masker;

/// The kind that a document should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// A response of the engine: inspect, list, info, an event.
    Docker,
    /// An object of a Kubernetes API, or a list of them.
    Kubernetes,
    /// A kubeconfig.
    Kubeconfig,
    /// The Docker CLI's config.json.
    DockerConfig,
}

/// A document that must be left out, because it is not of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("left out: it is no {kind}, so its secrets cannot be recognised")]
pub(crate) struct LeftOut {
    kind: DocumentKind,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "response of an engine",
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
    /// If the document is not of its kind. It must then be left out.
    pub(crate) fn document(&self, kind: DocumentKind, value: &mut Value) -> Result<Hits, LeftOut> {
        let is_object =
            |value: &Value| value["kind"].is_string() && value["apiVersion"].is_string();
        // Checked before anything is masked: a document of another kind may hide secrets where no
        // rule looks.
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
                self.tree(value, &Location::ROOT, &mut hits)
            }
            DocumentKind::Kubeconfig => self.kubeconfig(value, &mut hits),
            DocumentKind::DockerConfig => self.docker_config(value, &mut hits),
        }
        Ok(hits)
    }

    /// Masks a JSON document and returns it as indented JSON.
    ///
    /// # Errors
    /// If the text is no JSON, or not of its kind.
    pub(crate) fn json(&self, kind: DocumentKind, text: &[u8]) -> Result<(String, Hits), LeftOut> {
        let mut value = serde_json::from_slice(text).map_err(|_| LeftOut { kind })?;
        let hits = self.document(kind, &mut value)?;
        Ok((format!("{value:#}\n"), hits))
    }

    /// Masks a YAML document and returns it as YAML.
    ///
    /// # Errors
    /// If the text is no YAML, or not of its kind.
    pub(crate) fn yaml(&self, kind: DocumentKind, text: &str) -> Result<(String, Hits), LeftOut> {
        // The error of the parser may quote the text, so it is dropped.
        let mut value: Value = serde_yaml::from_str(text).map_err(|_| LeftOut { kind })?;
        let hits = self.document(kind, &mut value)?;
        let text = serde_yaml::to_string(&value).map_err(|_| LeftOut { kind })?;
        Ok((text, hits))
    }
}
