//! Finds documents and objects by their names, as the engine does.

use http::StatusCode;
use serde_json::Value;

use super::captured::CapturedEngine;
use crate::bundle_server::refusal::not_captured;

/// Why a request gets no document: the status and the message of the response.
pub(super) type Refusal = (StatusCode, String);

impl CapturedEngine {
    /// A document of the capture.
    pub(super) fn document(&self, name: &'static str) -> Result<&Value, Refusal> {
        match self.documents.get(name) {
            Some(Ok(document)) => Ok(document),
            Some(Err(why)) => Err((StatusCode::SERVICE_UNAVAILABLE, not_captured(name, why))),
            None => Err(not_found("the bundle has nothing of its engine")),
        }
    }

    /// Finds a container by its name, its ID, or a prefix of its ID.
    pub(super) fn container(&self, id: &str) -> Result<&Value, Refusal> {
        let is_named = |it: &Value| it["Name"].as_str() == Some(&format!("/{id}"));
        let inspected = self.document("container-inspect")?;
        // A name comes before the prefix of another container's ID.
        find(inspected, is_named, "container", id).or_else(|why| {
            find(inspected, |it| has_prefix(&it["Id"], id), "container", id).or(Err(why))
        })
    }

    /// Finds an image by a tag, a digest, its ID, or a prefix of its ID, with or without `sha256:`.
    pub(super) fn image(&self, name: &str) -> Result<&Value, Refusal> {
        // A colon before a slash precedes the port of a registry, and not a tag.
        let reference = match name.rsplit_once(':') {
            Some((_, tag)) if !tag.contains('/') => name.to_owned(),
            _ if name.contains('@') => name.to_owned(),
            _ => format!("{name}:latest"),
        };
        let contains = |references: &Value| {
            references.as_array().into_iter().flatten().any(|it| *it == reference)
        };
        let matches = |it: &Value| {
            let is_id =
                has_prefix(&it["Id"], name) || has_prefix(&it["Id"], &format!("sha256:{name}"));
            contains(&it["RepoTags"]) || contains(&it["RepoDigests"]) || is_id
        };
        find(self.document("image-inspect")?, matches, "image", name)
    }

    /// Finds a volume by its name.
    pub(super) fn volume(&self, name: &str) -> Result<&Value, Refusal> {
        let volumes = &self.document("volumes")?["Volumes"];
        find(volumes, |it| it["Name"] == name, "volume", name)
    }

    /// Finds a network by its name, its ID, or a prefix of its ID.
    pub(super) fn network(&self, id: &str) -> Result<&Value, Refusal> {
        let matches = |it: &Value| it["Name"] == id || has_prefix(&it["Id"], id);
        find(self.document("networks")?, matches, "network", id)
    }
}

/// The first object of a list that matches. The error is worded as the engine words it, because
/// docker looks for these words.
fn find<'a>(
    list: &'a Value,
    matches: impl Fn(&Value) -> bool,
    kind: &str,
    name: &str,
) -> Result<&'a Value, Refusal> {
    let found = list.as_array().into_iter().flatten().find(|it| matches(it));
    found.ok_or_else(|| not_found(&format!("No such {kind}: {name}")))
}

/// Whether an ID has a prefix. The empty text, which every ID begins with, matches none.
fn has_prefix(id: &Value, prefix: &str) -> bool {
    !prefix.is_empty() && id.as_str().is_some_and(|id| id.starts_with(prefix))
}

/// Refuses a request for something that does not exist.
pub(super) fn not_found(message: &str) -> Refusal {
    (StatusCode::NOT_FOUND, message.to_owned())
}

/// Refuses a request that cannot be parsed.
pub(super) fn bad_request(why: String) -> Refusal {
    (StatusCode::BAD_REQUEST, why)
}
