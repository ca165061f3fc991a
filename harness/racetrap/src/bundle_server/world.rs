//! The captured world of a bundle.

use std::sync::Arc;

use super::api::CapturedApi;
use super::engine::CapturedEngine;
use crate::bundle::layout::{API, ENGINE, NEIGHBOUR, WORLD};
use crate::bundle::{InvalidBundle, LoadedBundle};

/// Whether the server needs the file at a path of a bundle.
pub(crate) fn is_served(path: &str) -> bool {
    let below = |path: &str, directory: &str| {
        path.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned)
    };
    let own = below(path, NEIGHBOUR).unwrap_or_else(|| path.to_owned());
    let Some(file) = below(&own, WORLD) else { return false };
    [API, ENGINE].iter().any(|directory| below(&file, directory).is_some())
}

/// What was captured of one world: of the run's own one, or of its neighbour.
pub(crate) struct CapturedWorld {
    pub(super) api: Option<Arc<CapturedApi>>,
    pub(super) engine: Option<Arc<CapturedEngine>>,
}

/// A bundle of which nothing can be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NothingToServe {
    #[error("nothing of its world was captured{0}")]
    NotCaptured(String),
    #[error("it contains an invalid document")]
    Invalid(#[from] InvalidBundle),
}

impl CapturedWorld {
    /// Parses the documents of the run's own world, or of its `neighbour`.
    pub(crate) fn from_bundle(
        bundle: &LoadedBundle,
        neighbour: bool,
    ) -> Result<Self, NothingToServe> {
        let world = if neighbour { format!("{NEIGHBOUR}/{WORLD}/") } else { format!("{WORLD}/") };
        let api = CapturedApi::from_bundle(bundle, &world)?.map(Arc::new);
        let engine = CapturedEngine::from_bundle(bundle, &world)?.map(Arc::new);
        if api.is_none() && engine.is_none() {
            let why = bundle.manifest().map(|manifest| format!(": {}", manifest.reason));
            return Err(NothingToServe::NotCaptured(why.unwrap_or_default()));
        }
        Ok(Self { api, engine })
    }
}
