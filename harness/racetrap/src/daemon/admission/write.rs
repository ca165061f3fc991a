//! One write to the daemon's API, as its review describes it.

use std::fmt;

use kube::api::DynamicObject;
use kube::core::admission::{AdmissionRequest, Operation};
use racetrap_history::{Review, ReviewOutcome, WriteMatch};
use serde_json::Value;

/// A write that is not stored yet.
#[derive(Clone, Debug)]
pub(super) struct Write {
    operation: &'static str,
    resource: String,
    name: String,
    manager: Option<String>,
    /// The object as it would be stored; null if the write deletes it.
    object: Value,
}

impl Write {
    pub(super) fn from_request(request: &AdmissionRequest<DynamicObject>) -> Self {
        let operation = match request.operation {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        };
        let plural = &request.resource.resource;
        // The API server may send an empty string for a missing subresource or manager.
        let part = request.sub_resource.as_deref().filter(|part| !part.is_empty());
        let options = request.options.as_ref().map(|options| &options.0);
        let manager = options.and_then(|options| options["fieldManager"].as_str());
        let object = request.object.as_ref();
        Self {
            operation,
            resource: part.map_or_else(|| plural.clone(), |part| format!("{plural}/{part}")),
            name: request.name.clone(),
            manager: manager.filter(|manager| !manager.is_empty()).map(str::to_owned),
            object: object.and_then(|object| serde_json::to_value(object).ok()).unwrap_or_default(),
        }
    }

    /// The field manager of its writer, if it names one.
    pub(super) fn manager(&self) -> Option<&str> {
        self.manager.as_deref()
    }

    /// What it does to which kind of objects, and who writes.
    pub(super) fn kind(&self) -> String {
        let Self { operation, resource, manager, .. } = self;
        format!("{operation} {resource} by {}", manager.as_deref().unwrap_or("nobody"))
    }

    /// Whether all parts of `on` but the count match.
    pub(super) fn matches(&self, on: &WriteMatch) -> bool {
        let equals = |wanted: &Option<String>, seen: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == seen)
        };
        on.operation.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(self.operation))
            && (on.resource.is_empty() || on.resource == self.resource)
            && equals(&on.manager, self.manager.as_deref().unwrap_or_default())
            && equals(&on.name, &self.name)
            && on.object.iter().all(|(pointer, value)| self.holds(pointer, value))
    }

    /// Whether the object has this value at the pointer. Null also matches a missing member, so
    /// that a rule can match a write that removes it. A deletion has no new object, so nothing
    /// matches it.
    fn holds(&self, pointer: &str, value: &Value) -> bool {
        !self.object.is_null() && self.object.pointer(pointer).unwrap_or(&Value::Null) == value
    }

    /// The record of the write with its outcome.
    pub(super) fn review(&self, outcome: ReviewOutcome) -> Review {
        Review {
            operation: self.operation.to_owned(),
            resource: self.resource.clone(),
            name: self.name.clone(),
            manager: self.manager.clone(),
            outcome,
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, resource, name, manager, .. } = self;
        write!(f, "{operation} {resource} {name}")?;
        match manager {
            Some(manager) => write!(f, " by {manager}"),
            None => Ok(()),
        }
    }
}
