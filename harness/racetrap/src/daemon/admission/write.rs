//! One write to the daemon's API, as its review tells of it.

use std::fmt;

use kube::api::DynamicObject;
use kube::core::admission::{AdmissionRequest, Operation};
use racetrap_history::{Review, ReviewOutcome, WriteMatch};
use serde_json::Value;

/// What is known of a write before it is stored.
#[derive(Clone, Debug)]
pub(super) struct Write {
    operation: &'static str,
    resource: String,
    name: String,
    manager: Option<String>,
    /// The object as it would be stored; null where it is deleted.
    object: Value,
}

impl Write {
    pub(super) fn of(request: &AdmissionRequest<DynamicObject>) -> Self {
        let operation = match request.operation {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        };
        let plural = &request.resource.resource;
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

    /// Everything but the count.
    pub(super) fn fits(&self, on: &WriteMatch) -> bool {
        let fits = |wanted: &Option<String>, seen: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == seen)
        };
        on.operation.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(self.operation))
            && (on.resource.is_empty() || on.resource == self.resource)
            && fits(&on.manager, self.manager.as_deref().unwrap_or_default())
            && fits(&on.name, &self.name)
            && on.object.iter().all(|(pointer, value)| self.holds(pointer, value))
    }

    /// Null stands wherever nothing is, so that a match can tell what a write takes away; but not in
    /// an object that is deleted, of which there is no new state.
    fn holds(&self, pointer: &str, value: &Value) -> bool {
        !self.object.is_null() && self.object.pointer(pointer).unwrap_or(&Value::Null) == value
    }

    /// The record of what came of it.
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
