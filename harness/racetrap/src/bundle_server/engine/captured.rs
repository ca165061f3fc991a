//! Everything that the engine answered when the world was captured.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bundle::layout::{ENGINE_EVENTS, container_of_log, engine_document};
use crate::bundle::{InvalidBundle, LoadedBundle};

/// The documents of a complete capture.
const DOCUMENTS: [&str; 8] = [
    "version",
    "info",
    "containers",
    "images",
    "volumes",
    "networks",
    "container-inspect",
    "image-inspect",
];

/// The engine as it was captured.
#[derive(Debug, Default)]
pub(in crate::bundle_server) struct CapturedEngine {
    /// Documents by name, or the reason why one is missing.
    pub(super) documents: BTreeMap<&'static str, Result<Value, String>>,
    /// Logs by the ID of their container, in the format of a bundle.
    pub(super) logs: BTreeMap<String, String>,
    /// Events, one JSON object a line.
    pub(super) events: Option<String>,
}

impl CapturedEngine {
    /// Reads the engine from the files below `world`. Returns `None` if nothing of it was captured.
    pub(in crate::bundle_server) fn from_bundle(
        bundle: &LoadedBundle,
        world: &str,
    ) -> Result<Option<Self>, InvalidBundle> {
        let mut documents = BTreeMap::new();
        for name in DOCUMENTS {
            let path = format!("{world}{}", engine_document(name));
            let document = bundle.document(&path)?;
            documents.insert(name, document.ok_or_else(|| bundle.why_missing(&path)));
        }
        // If some documents are there, the server refuses requests for the others with their
        // reasons.
        if documents.values().all(Result::is_err) {
            return Ok(None);
        }
        let logs = bundle.paths().filter_map(|path| {
            let id = container_of_log(path.strip_prefix(world)?)?;
            Some((id.to_owned(), bundle.text(path)?))
        });
        let events = bundle.text(&format!("{world}{ENGINE_EVENTS}"));
        Ok(Some(Self { documents, logs: logs.collect(), events }))
    }
}
