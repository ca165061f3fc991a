//! The scenario's names for the engine's IDs.

use std::collections::BTreeMap;

use crate::mirror::short;
use crate::record::{EngineState, IMAGE_LABEL};

/// Names of containers and images by ID. The name of a removed object is kept, because its mirror may
/// still exist.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Adds the names of everything that the engine holds.
    pub(super) fn apply(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            self.0.insert(id.clone(), container.name.clone());
        }
        for (id, image) in &state.images {
            // An image may lose all its tags, so the scenario's name is in a label of the image.
            if let Some(alias) = image.labels.get(IMAGE_LABEL) {
                self.0.insert(id.clone(), alias.clone());
            }
        }
    }

    /// The name of a container or image.
    pub(super) fn get(&self, id: &str) -> Option<&String> {
        self.0.get(id)
    }

    /// The text with `<name>` instead of each ID, in full or shortened.
    pub(super) fn replace_ids(&self, text: &str) -> String {
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
        // The ID may be longer than its short form, so it ends at the first character that is no digit.
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
