//! Tests of rules, gates, and reviews over HTTPS. `tests/world` tests that an API server asks the
//! webhook.

mod gates;
mod reviews;
mod rules;

use std::collections::BTreeMap;
use std::time::Duration;

use racetrap_history::{What, WriteMatch};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::write::Write;
use crate::clock::Clock;
use crate::recorder::Recorder;

/// How long a test waits for something that must happen.
const LIMIT: Duration = Duration::from_secs(10);

/// Waits for `event`, and fails instead of hanging.
async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, event).await.expect("it happens in time")
}

/// A new history, and the directory that contains it.
fn recorder() -> (TempDir, Recorder) {
    let place = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&place.path().join("journal"), Clock::start()).unwrap();
    (place, recorder)
}

/// The reviews in the history: the name of each write and its outcome.
fn outcomes(recorder: &Recorder) -> Vec<String> {
    let reviews = recorder.history().into_iter().filter_map(|record| {
        let What::Review(review) = record.what else { return None };
        Some(format!("{}: {}", review.name, review.outcome))
    });
    reviews.collect()
}

/// The review of an update of a volume's status, as the daemon's engine controller sends it.
fn review(name: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": format!("review of {name}"),
            "kind": { "group": "containers.rancherdesktop.io", "version": "v1alpha1", "kind": "Volume" },
            "resource": {
                "group": "containers.rancherdesktop.io", "version": "v1alpha1", "resource": "volumes",
            },
            "subResource": "status",
            "name": name,
            "namespace": "default",
            "operation": "UPDATE",
            "userInfo": { "username": "system-admin" },
            "object": {
                "apiVersion": "containers.rancherdesktop.io/v1alpha1",
                "kind": "Volume",
                "metadata": { "name": name, "namespace": "default" },
                "status": { "driver": "local" },
            },
            "oldObject": null,
            "dryRun": false,
            "options": { "kind": "PatchOptions", "fieldManager": "engine-controller", "force": true },
        },
    })
}

fn write_of(review: &Value) -> Write {
    let review: kube::core::admission::AdmissionReview<kube::api::DynamicObject> =
        serde_json::from_value(review.clone()).unwrap();
    Write::from_request(&review.request.unwrap())
}

fn write(name: &str) -> Write {
    write_of(&review(name))
}

/// Matches writes of this name.
fn named(name: &str) -> WriteMatch {
    WriteMatch { name: Some(name.to_owned()), ..WriteMatch::default() }
}

/// Matches writes of objects that have this value at this pointer.
fn holding(pointer: &str, value: Value) -> WriteMatch {
    WriteMatch { object: BTreeMap::from([(pointer.to_owned(), value)]), ..WriteMatch::default() }
}
