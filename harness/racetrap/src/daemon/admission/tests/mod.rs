//! Rules, gates, and reviews over HTTPS; that an API server really asks is tested in `tests/world`.

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

/// How long what must happen may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What must happen, or a failure instead of a test that hangs.
async fn within<T>(happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, happens).await.expect("it happens in time")
}

/// A history of its own, and the directory that it lies in.
fn recorder() -> (TempDir, Recorder) {
    let place = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&place.path().join("journal"), Clock::start()).unwrap();
    (place, recorder)
}

/// What came of each write so far: its name, and the outcome.
fn outcomes(recorder: &Recorder) -> Vec<String> {
    let reviews = recorder.history().into_iter().filter_map(|record| {
        let What::Review(review) = record.what else { return None };
        Some(format!("{}: {}", review.name, review.outcome))
    });
    reviews.collect()
}

/// The review of an update of a volume's status, as the engine controller makes it.
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
    Write::of(&review.request.unwrap())
}

fn write(name: &str) -> Write {
    write_of(&review(name))
}

/// Writes of this name.
fn named(name: &str) -> WriteMatch {
    WriteMatch { name: Some(name.to_owned()), ..WriteMatch::default() }
}

/// Writes of objects in which this stands at this pointer.
fn holding(pointer: &str, value: Value) -> WriteMatch {
    WriteMatch { object: BTreeMap::from([(pointer.to_owned(), value)]), ..WriteMatch::default() }
}
