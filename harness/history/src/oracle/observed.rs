//! The API's objects that a record shows, from a watch or from a list.

use serde_json::Value;

use crate::record::{ApiChange, Change, What};
use crate::view::object_version;

/// One object of the API, in the state that one record shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObservedObject<'a> {
    /// Plural name of the kind.
    pub(super) resource: &'a str,
    /// What a watch reported; `None` if a list showed the object.
    pub(super) change: Option<Change>,
    /// The complete object.
    pub(super) object: &'a Value,
}

impl<'a> ObservedObject<'a> {
    /// Every object that the record shows.
    pub(super) fn in_record(what: &'a What) -> Vec<Self> {
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

    /// Whether a watch reported that the object was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.change == Some(Change::Deleted)
    }

    /// Whether the object was deleted, or waits for its finalizers to be removed.
    pub(super) fn is_terminating(&self) -> bool {
        self.is_deleted() || self.object.pointer("/metadata/deletionTimestamp").is_some()
    }

    /// `metadata.uid`.
    pub(super) fn uid(&self) -> &'a str {
        self.text("/metadata/uid")
    }

    /// `metadata.name`.
    pub(super) fn name(&self) -> &'a str {
        self.text("/metadata/name")
    }

    /// Resource version of the write that made this state. If the object was deleted, the version of
    /// its deletion.
    pub(super) fn version(&self) -> Option<u64> {
        object_version(self.object)
    }

    fn text(&self, pointer: &str) -> &'a str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}
