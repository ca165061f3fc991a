//! VM mode `api`: the daemon's Lima controller is off, and the harness plays it (contract 7.6 B).
//!
//! It answers a LimaVM's `spec.running` by the conditions that the real controller would set, and
//! does nothing else: it is the stand-in for a VM that starts and stops at once.

use std::time::Duration;

use racetrap_history::{View, VmOp};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::{Api, Resource};
use crate::chain::chain;
use crate::clock;
use crate::recorder::Recorder;

/// Plays the Lima controller for as long as the world lives.
pub(super) async fn play(api: Api, mut told: watch::Receiver<VmOp>, recorder: Recorder) {
    let mut changes = recorder.changes();
    // The watch tells of a patch later than of other things; it is not done twice meanwhile.
    let mut done = None;
    loop {
        changes.borrow_and_update();
        if told.wait_for(|op| *op == VmOp::Go).await.is_err() {
            return;
        }
        let due = recorder.with_view(due).filter(|due| done.as_ref() != Some(&due.of()));
        if let Some(due) = due {
            let patched = api
                .patch_status(Resource::LimaVms, &due.namespace, &due.name, &due.status(&recorder))
                .await;
            match patched {
                Ok(()) => {
                    done = Some(due.of());
                    recorder.note(format!("VM mode api: LimaVM {} is {}", due.name, due.word()));
                }
                Err(error) => {
                    recorder.note(format!("VM mode api: {}", chain(&error)));
                    clock::pause(Duration::from_millis(20)).await;
                    continue;
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// A LimaVM whose condition does not say yet what its specification wants.
struct Due {
    namespace: String,
    name: String,
    uid: String,
    generation: i64,
    running: bool,
    known: Value,
}

fn due(view: &View) -> Option<Due> {
    let object = view.object("limavms", "rd")?;
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let running = object.pointer("/spec/running").and_then(Value::as_bool).unwrap_or(false);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let mut known = conditions.into_iter().flatten();
    let seen = known.find(|condition| condition["type"] == "Running").cloned();
    let seen = seen.unwrap_or_default();
    let wanted = if running { ("True", "Started") } else { ("False", "Stopped") };
    if seen["status"] == wanted.0 && seen["reason"] == wanted.1 {
        return None;
    }
    Some(Due {
        namespace: text("/metadata/namespace")?,
        name: text("/metadata/name")?,
        uid: text("/metadata/uid")?,
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64)?,
        running,
        known: seen,
    })
}

impl Due {
    /// The object, and the state of it, that is to be answered.
    fn of(&self) -> (String, i64) {
        (self.uid.clone(), self.generation)
    }

    fn word(&self) -> &'static str {
        if self.running { "Started" } else { "Stopped" }
    }

    /// Reasons and messages as contract 3.7 has them.
    fn status(&self, recorder: &Recorder) -> Value {
        let now = recorder.clock().calendar();
        let (status, message) = if self.running {
            ("True", "Lima instance started successfully")
        } else {
            ("False", "Lima instance stopped successfully")
        };
        let since = self.known.get("lastTransitionTime").cloned();
        let changed = self.known["status"] != status;
        let since = since.filter(|_| !changed).unwrap_or_else(|| Value::from(now.clone()));
        json!({ "conditions": [
            {
                "type": "Created", "status": "True", "reason": "Created",
                "message": "Lima instance created successfully", "lastTransitionTime": now,
            },
            {
                "type": "Running", "status": status, "reason": self.word(),
                "message": message, "lastTransitionTime": since,
            },
        ] })
    }
}

/// Definition of the LimaVM kind, for a daemon whose Lima controller would have brought it.
pub(super) fn definition() -> Value {
    let text = json!({ "type": "string" });
    let condition = json!({
        "type": "object",
        "required": ["type", "status", "reason", "message", "lastTransitionTime"],
        "properties": {
            "type": text, "status": text, "reason": text, "message": text,
            "lastTransitionTime": { "type": "string", "format": "date-time" },
            "observedGeneration": { "type": "integer", "format": "int64" },
        },
    });
    let reference = json!({
        "type": "object", "required": ["name"], "properties": { "name": text, "namespace": text },
    });
    let spec = json!({
        "type": "object",
        "required": ["templateRef"],
        "properties": {
            "templateRef": reference, "running": { "type": "boolean", "default": false },
        },
    });
    let status = json!({
        "type": "object",
        "properties": {
            "conditions": {
                "type": "array", "items": condition,
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
            },
            "templateConfigMap": text,
            "observedTemplateResourceVersion": text,
            "restartNeeded": { "type": "boolean" },
            "restartCount": { "type": "integer", "format": "int32" },
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "limavms.lima.rancherdesktop.io" },
        "spec": {
            "group": "lima.rancherdesktop.io",
            "scope": "Namespaced",
            "names": {
                "kind": "LimaVM", "listKind": "LimaVMList",
                "plural": "limavms", "singular": "limavm",
            },
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": {
                    "type": "object", "properties": { "spec": spec, "status": status },
                } },
            }],
        },
    })
}
