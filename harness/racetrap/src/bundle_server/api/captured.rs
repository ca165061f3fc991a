//! Everything that the daemon's API server answered when the world was captured.

use std::collections::BTreeMap;

use serde_json::Value;

use super::discovery::{Resource, read_discovery};
use crate::bundle::layout::{API_DISCOVERY, HEALTH_ENDPOINTS, api_health};
use crate::bundle::{InvalidBundle, LoadedBundle};

/// The namespace of the daemon's objects, if the App does not name one.
const DEFAULT_NAMESPACE: &str = "default";

/// The daemon's API as it was captured.
#[derive(Debug, Default)]
pub(in crate::bundle_server) struct CapturedApi {
    /// Responses of discovery, by request path.
    pub(super) discovery: BTreeMap<String, Value>,
    /// Resources by version, which is `v1` or `GROUP/VERSION`, and plural name.
    pub(super) resources: BTreeMap<(String, String), Resource>,
    /// Texts of the health endpoints, by name.
    pub(super) health: BTreeMap<&'static str, String>,
}

impl CapturedApi {
    /// Reads the API from the files below `world`. Returns `None` if nothing of it was captured.
    pub(in crate::bundle_server) fn from_bundle(
        bundle: &LoadedBundle,
        world: &str,
    ) -> Result<Option<Self>, InvalidBundle> {
        // Without discovery no resource is known, so there is nothing to serve.
        let Some(replies) = bundle.document(&format!("{world}{API_DISCOVERY}"))? else {
            return Ok(None);
        };
        let (discovery, resources) = read_discovery(&replies, bundle, world)?;
        let health = HEALTH_ENDPOINTS.iter().filter_map(|endpoint| {
            Some((*endpoint, bundle.text(&format!("{world}{}", api_health(endpoint)))?))
        });
        Ok(Some(Self { discovery, resources, health: health.collect() }))
    }

    /// The namespace of the daemon's objects, for the kubeconfig.
    pub(in crate::bundle_server) fn namespace(&self) -> &str {
        // There is only one App, in whichever group the daemon serves it.
        let apps = self.resources.iter().find(|((_, plural), _)| plural == "apps");
        let app = apps.and_then(|(_, apps)| apps.items().first());
        app.and_then(|app| app["spec"]["namespace"].as_str()).unwrap_or(DEFAULT_NAMESPACE)
    }
}
