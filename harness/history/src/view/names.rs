//! The scenario's names for the engine's IDs.

use std::collections::BTreeMap;

use crate::mirror::short;
use crate::record::{EngineState, IMAGE_LABEL};

/// Names of containers and images by ID. They outlive their objects, so that a stale mirror still has
/// its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes the names of everything that the engine holds.
    pub(super) fn see(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            self.0.insert(id.clone(), container.name.clone());
        }
        for (id, image) in &state.images {
            if let Some(alias) = image.labels.get(IMAGE_LABEL) {
                self.0.insert(id.clone(), alias.clone());
            }
        }
    }

    /// The name of a container or image.
    pub(super) fn get(&self, id: &str) -> Option<&String> {
        self.0.get(id)
    }

    /// The text with `<name>` for each ID in it, whether that is there in full or shortened.
    pub(super) fn put_into(&self, text: &str) -> String {
        let short_names = self.0.iter().map(|(id, name)| (short(id), name));
        short_names.fold(text.to_owned(), |text, (short, name)| replace_id(&text, short, name))
    }
}

/// Replaces each ID that begins with `short` by `<name>`.
fn replace_id(text: &str, short: &str, name: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = rest.find(short) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        out.push_str(before);
        out.push('<');
        out.push_str(name);
        out.push('>');
        rest = &from[end..];
    }
    out.push_str(rest);
    out
}
