//! VM mode `api`: the daemon runs without its Lima controller, and the harness plays it (contract
//! 7.6 B).
//!
//! For each change of a LimaVM's `spec.running`, this stand-in sets the conditions that the real
//! controller would set. It behaves like a VM that starts and stops at once.

use std::time::Duration;

use racetrap_history::{View, VmOp};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::{Api, Resource};
use crate::chain::chain;
use crate::clock;
use crate::recorder::Recorder;

/// How long to pause after a status could not be written.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Plays the Lima controller until its task is aborted. As long as `op` is not `Go`, it changes
/// nothing.
pub(super) async fn play(api: Api, mut op: watch::Receiver<VmOp>, recorder: Recorder) {
    let mut changes = recorder.changes();
    // The view shows a patch only after the watch has reported it. Until then the change still
    // looks due, and must not be made twice.
    let mut done = None;
    loop {
        // Before the view is read, so that each later record ends the wait below.
        changes.borrow_and_update();
        if op.wait_for(|op| *op == VmOp::Go).await.is_err() {
            return;
        }
        let change =
            recorder.with_view(pending).filter(|change| done.as_ref() != Some(&change.key()));
        if let Some(change) = change {
            let PendingChange { namespace, name, .. } = &change;
            let status = change.status(&recorder);
            let patched = api.patch_status(Resource::LimaVms, namespace, name, &status).await;
            match patched {
                Ok(()) => {
                    recorder.note(format!("VM mode api: LimaVM {name} is {}", change.reason()));
                    done = Some(change.key());
                }
                Err(error) => {
                    recorder.note(format!("VM mode api: {}", chain(&error)));
                    clock::pause(RETRY_PAUSE).await;
                    // The change is still pending, and no record announces that it can succeed now.
                    continue;
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// A LimaVM whose condition `Running` does not show its desired state yet.
struct PendingChange {
    namespace: String,
    name: String,
    uid: String,
    generation: i64,
    running: bool,
    /// The condition `Running` as it is; null if there is none.
    condition: Value,
}

fn pending(view: &View) -> Option<PendingChange> {
    let object = view.object("limavms", "rd")?;
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let running = object.pointer("/spec/running").and_then(Value::as_bool).unwrap_or(false);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let condition = conditions.find(|condition| condition["type"] == "Running").cloned();
    let condition = condition.unwrap_or_default();
    let wanted = if running { ("True", "Started") } else { ("False", "Stopped") };
    if condition["status"] == wanted.0 && condition["reason"] == wanted.1 {
        return None;
    }
    Some(PendingChange {
        namespace: text("/metadata/namespace")?,
        name: text("/metadata/name")?,
        uid: text("/metadata/uid")?,
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64)?,
        running,
        condition,
    })
}

impl PendingChange {
    /// The object and its generation, which identify the change.
    fn key(&self) -> (String, i64) {
        (self.uid.clone(), self.generation)
    }

    /// The reason of the condition, as the real controller words it.
    fn reason(&self) -> &'static str {
        if self.running { "Started" } else { "Stopped" }
    }

    /// The new status, with the reasons and messages of contract 3.7.
    fn status(&self, recorder: &Recorder) -> Value {
        let now = recorder.clock().calendar();
        let (status, message) = if self.running {
            ("True", "Lima instance started successfully")
        } else {
            ("False", "Lima instance stopped successfully")
        };
        // By the convention of Kubernetes, this time changes only together with the status.
        let since = self.condition.get("lastTransitionTime").cloned();
        let changed = self.condition["status"] != status;
        let since = since.filter(|_| !changed).unwrap_or_else(|| Value::from(now.clone()));
        json!({ "conditions": [
            {
                "type": "Created", "status": "True", "reason": "Created",
                "message": "Lima instance created successfully", "lastTransitionTime": now,
            },
            {
                "type": "Running", "status": status, "reason": self.reason(),
                "message": message, "lastTransitionTime": since,
            },
        ] })
    }
}

/// The definition of the kind LimaVM, which the daemon's Lima controller would have installed.
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
