//! What a record shows of the API's objects, whether a watch or a list told it.

use serde_json::Value;

use crate::record::{ApiChange, Change, What};
use crate::view::object_version;

/// One object of the API, as one record shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Plural name of its kind.
    pub(super) resource: &'a str,
    /// What a watch said of it; none where a list showed it.
    pub(super) change: Option<Change>,
    /// The object, whole.
    pub(super) object: &'a Value,
}

impl<'a> Seen<'a> {
    /// Every object that the record shows.
    pub(super) fn all(what: &'a What) -> Vec<Self> {
        match what {
            What::Api(ApiChange { resource, change, object }) => {
                vec![Self { resource, change: Some(*change), object }]
            }
            What::Listed { resource, objects, .. } => {
                objects.iter().map(|object| Self { resource, change: None, object }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// It is there no more.
    pub(super) fn is_gone(&self) -> bool {
        self.change == Some(Change::Deleted)
    }

    /// `metadata.uid`.
    pub(super) fn uid(&self) -> &'a str {
        self.text("/metadata/uid")
    }

    /// `metadata.name`.
    pub(super) fn name(&self) -> &'a str {
        self.text("/metadata/name")
    }

    /// Resource version of the write that made this state; that of its deletion, where it is gone.
    pub(super) fn version(&self) -> Option<u64> {
        object_version(self.object)
    }

    fn text(&self, pointer: &str) -> &'a str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}
