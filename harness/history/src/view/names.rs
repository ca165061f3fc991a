//! The scenario's names for the engine's IDs.

use std::collections::{BTreeMap, BTreeSet};

use crate::mirror::short;
use crate::record::{EngineState, IMAGE_LABEL};

/// Names of containers and images by ID. The name of a removed object is kept, because its mirror may
/// still exist.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    by_id: BTreeMap<String, String>,
    /// IDs whose names the scenario gave by a step of its own.
    given: BTreeSet<String>,
}

impl Names {
    /// Adds the names of everything that the engine holds.
    pub(super) fn apply(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            if !self.given.contains(id) {
                self.by_id.insert(id.clone(), container.name.clone());
            }
        }
        for (id, image) in &state.images {
            // An image may lose all its tags, so the scenario's name is in a label of the image.
            let label = image.labels.get(IMAGE_LABEL).filter(|_| !self.by_id.contains_key(id));
            if let Some(alias) = label {
                let name = self.free(alias);
                self.by_id.insert(id.clone(), name);
            }
        }
    }

    /// Takes a name that a step of the scenario gave.
    pub(super) fn give(&mut self, id: &str, name: &str) {
        self.given.insert(id.to_owned());
        self.by_id.insert(id.to_owned(), name.to_owned());
    }

    /// The alias, or with a number if another image has it: an image that is built from another one
    /// inherits the label that says so.
    fn free(&self, alias: &str) -> String {
        // Only IDs of images have an algorithm; a container may have an image's name.
        let images = || self.by_id.iter().filter(|(id, _)| id.starts_with("sha256:"));
        let is_free = |name: &String| !images().any(|(_, taken)| taken == name);
        let numbered = (2..).map(|number| format!("{alias}+{number}"));
        std::iter::once(alias.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
    }

    /// The name of a container or image.
    pub(super) fn get(&self, id: &str) -> Option<&String> {
        self.by_id.get(id)
    }

    /// The text with `<name>` instead of each ID, in full or shortened.
    pub(super) fn replace_ids(&self, text: &str) -> String {
        let short_names = self.by_id.iter().map(|(id, name)| (short(id), name));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{EngineContainer, EngineImage};

    fn image(alias: &str) -> EngineImage {
        EngineImage {
            tags: Vec::new(),
            os: String::new(),
            architecture: String::new(),
            labels: BTreeMap::from([(IMAGE_LABEL.to_owned(), alias.to_owned())]),
            details: None,
        }
    }

    // The second image inherits the label of the first; its ID is smaller.
    #[test]
    fn an_image_that_is_built_from_another_has_a_name_of_its_own() {
        let mut names = Names::default();
        let mut state = EngineState::default();
        state.images.insert("sha256:bb".to_owned(), image("base"));
        names.apply(&state);
        state.images.insert("sha256:aa".to_owned(), image("base"));
        names.apply(&state);
        names.apply(&state);
        assert_eq!(names.get("sha256:bb").map(String::as_str), Some("base"));
        assert_eq!(names.get("sha256:aa").map(String::as_str), Some("base+2"));
        // A container may have the name of an image.
        assert_eq!(names.free("web"), "web");
        names.give("c0", "web");
        assert_eq!(names.free("web"), "web");
        names.give("sha256:aa", "child");
        names.apply(&state);
        assert_eq!(names.get("sha256:aa").map(String::as_str), Some("child"));
    }

    // A container that a step named keeps that name; another one has the engine's, also a new one.
    #[test]
    fn a_name_that_a_step_gave_stays() {
        let mut names = Names::default();
        let container = |name: &str| EngineContainer {
            name: name.to_owned(),
            image: String::new(),
            state: String::new(),
            labels: BTreeMap::new(),
            details: None,
        };
        let mut state = EngineState::default();
        state.containers.insert("a1".to_owned(), container("happy_turing"));
        state.containers.insert("b2".to_owned(), container("web"));
        names.give("a1", "made");
        names.apply(&state);
        state.containers.insert("b2".to_owned(), container("renamed"));
        names.apply(&state);
        assert_eq!(names.get("a1").map(String::as_str), Some("made"));
        assert_eq!(names.get("b2").map(String::as_str), Some("renamed"));
    }
}
