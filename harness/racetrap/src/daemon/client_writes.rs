//! Writes of a client of the daemon's API, which its controllers must react to or respect.

use std::collections::BTreeMap;

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use racetrap_history::{UserObject, UserWrite, What};
use racetrap_search::USER;
use serde_json::{Value, json};

use super::api::{Api, ApiError, Resource, failed, plain};
use crate::recorder::Recorder;

/// A finalizer of another client, which keeps an object from being removed.
const FINALIZER: &str = "racetrap.dev/kept";

/// An annotation of the App. Changing it changes the App, and not its desired state.
const TOUCHED: &str = "/metadata/annotations/racetrap.dev~1touched";

/// How often a read-modify-write is tried if another client writes in between each time.
const ATTEMPTS: u32 = 20;

/// Merges values into an object at JSON pointers (RFC 6901), and returns the object as stored. Null
/// removes a member. A pointer must not lead into a list, because a merge replaces lists whole.
///
/// # Errors
/// If the API server refuses the write; then nothing is recorded.
pub(crate) async fn patch(
    api: &Api,
    recorder: &Recorder,
    resource: Resource,
    object: &Value,
    set: &BTreeMap<String, Value>,
) -> Result<Value, ApiError> {
    let merged = merge(api, resource, object, &merge_patch(set)).await;
    let stored = merged.map_err(failed(describe("patch", resource, object)))?;
    record(recorder, resource, &stored, set.clone(), false);
    Ok(stored)
}

/// Creates an object and returns it as stored. Its name is the one that the API shows.
///
/// # Errors
/// If the API server refuses the write; then nothing is recorded.
pub(crate) async fn create(
    api: &Api,
    recorder: &Recorder,
    resource: Resource,
    namespace: &str,
    object: &UserObject,
) -> Result<Value, ApiError> {
    let UserObject { name, spec, labels, .. } = object;
    let mut new = DynamicObject::new(name, &resource.descriptor()).within(namespace);
    new.metadata.labels = Some(labels.clone());
    if !spec.is_null() {
        new.data = json!({ "spec": spec });
    }
    let params = PostParams { field_manager: Some(USER.to_owned()), ..PostParams::default() };
    let created = api.within(resource, namespace).create(&params, &new).await;
    let what = format!("create {} {name}", resource.plural());
    let stored = plain(&created.map_err(failed(what))?);
    // The record has the fields that the client wrote, and not those that the API server added.
    let labels = labels.iter().map(|(label, value)| {
        (format!("/metadata/labels/{}", escaped(label)), Value::from(value.clone()))
    });
    let spec = (!spec.is_null()).then(|| ("/spec".to_owned(), spec.clone()));
    record(recorder, resource, &stored, labels.chain(spec).collect(), false);
    Ok(stored)
}

/// Deletes an object. Returns it as it is stored while finalizers keep it, or null if it is gone.
///
/// # Errors
/// If the API server refuses the write; then nothing is recorded.
pub(crate) async fn delete(
    api: &Api,
    recorder: &Recorder,
    resource: Resource,
    object: &Value,
) -> Result<Value, ApiError> {
    let scope = api.scope_of(resource, object);
    let deleted = scope.delete(name(object), &DeleteParams::default()).await;
    let deleted = deleted.map_err(failed(describe("delete", resource, object)))?;
    // Left is the object, right a status that says that it is gone.
    let stored = deleted.left().map(|stored| plain(&stored)).unwrap_or_default();
    record(recorder, resource, object, BTreeMap::new(), true);
    Ok(stored)
}

/// Adds a finalizer that is not the daemon's, so that the object stays after its deletion. Not
/// recorded as a write: the oracle that looks for lost writes of clients must not expect the
/// finalizer to stay.
///
/// # Errors
/// If the API server refuses the write, or if other clients write in between each time.
pub(crate) async fn add_finalizer(
    api: &Api,
    resource: Resource,
    object: &Value,
) -> Result<Value, ApiError> {
    change_finalizers(api, resource, object, |finalizers| {
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.push(FINALIZER.to_owned());
        }
    })
    .await
}

/// Removes that finalizer. Returns the object as it was stored last.
///
/// # Errors
/// If the API server refuses the write, or if other clients write in between each time.
pub(crate) async fn remove_finalizer(
    api: &Api,
    resource: Resource,
    object: &Value,
) -> Result<Value, ApiError> {
    change_finalizers(api, resource, object, |finalizers| {
        finalizers.retain(|finalizer| finalizer != FINALIZER);
    })
    .await
}

/// Writes `n` into an annotation of the App, of which a cluster has one (contract 3.6).
///
/// # Errors
/// If the API server refuses the write; then nothing is recorded.
pub(crate) async fn touch_app(api: &Api, recorder: &Recorder, n: u32) -> Result<Value, ApiError> {
    let app = json!({ "metadata": { "name": "app" } });
    let set = BTreeMap::from([(TOUCHED.to_owned(), Value::from(n.to_string()))]);
    patch(api, recorder, Resource::Apps, &app, &set).await
}

/// Changes the finalizers by a read-modify-write. The patch carries the version that was read, so
/// the API server refuses it if another client has written in between, and no write of that client
/// is lost.
async fn change_finalizers(
    api: &Api,
    resource: Resource,
    object: &Value,
    change: impl Fn(&mut Vec<String>),
) -> Result<Value, ApiError> {
    let failure = || failed(describe("change the finalizers of", resource, object));
    let mut attempt = 1;
    loop {
        let current = api.scope_of(resource, object).get(name(object)).await;
        let metadata = current.map_err(failure())?.metadata;
        let mut finalizers = metadata.finalizers.unwrap_or_default();
        change(&mut finalizers);
        let version = metadata.resource_version;
        let patch = json!({ "metadata": { "resourceVersion": version, "finalizers": finalizers } });
        match merge(api, resource, object, &patch).await {
            // 409: another client has written since the read.
            Err(kube::Error::Api(status)) if status.code == 409 && attempt < ATTEMPTS => {
                attempt += 1;
            }
            merged => return merged.map_err(failure()),
        }
    }
}

async fn merge(
    api: &Api,
    resource: Resource,
    object: &Value,
    patch: &Value,
) -> Result<Value, kube::Error> {
    let params = PatchParams { field_manager: Some(USER.to_owned()), ..PatchParams::default() };
    let scope = api.scope_of(resource, object);
    Ok(plain(&scope.patch(name(object), &params, &Patch::Merge(patch)).await?))
}

/// The merge patch (RFC 7386) that puts each value at its pointer.
fn merge_patch(set: &BTreeMap<String, Value>) -> Value {
    let mut patch = json!({});
    for (pointer, value) in set {
        let mut member = &mut patch;
        for token in pointer.split('/').skip(1) {
            // Pointers come in their order, so a longer one follows those that it begins with. Its
            // value replaces theirs.
            if !member.is_object() {
                *member = json!({});
            }
            member = &mut member[token.replace("~1", "/").replace("~0", "~")];
        }
        *member = value.clone();
    }
    patch
}

/// A token of a JSON pointer.
fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn record(
    recorder: &Recorder,
    resource: Resource,
    object: &Value,
    fields: BTreeMap<String, Value>,
    deleted: bool,
) {
    recorder.append(What::UserWrite(UserWrite {
        resource: resource.plural().to_owned(),
        namespace: metadata(object, "namespace").to_owned(),
        name: name(object).to_owned(),
        uid: metadata(object, "uid").to_owned(),
        fields,
        deleted,
    }));
}

fn name(object: &Value) -> &str {
    metadata(object, "name")
}

fn metadata<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

fn describe(verb: &str, resource: Resource, object: &Value) -> String {
    format!("{verb} {} {}", resource.plural(), name(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch_of(set: &[(&str, Value)]) -> Value {
        merge_patch(&set.iter().map(|(at, value)| ((*at).to_owned(), value.clone())).collect())
    }

    // The whole patch is compared: a token that is not unescaped, or a value that overwrites its
    // neighbour, changes it.
    #[test]
    fn pointers_become_one_merge_patch() {
        let patch = patch_of(&[
            ("/metadata/annotations/a.b~1c", json!("x")),
            ("/metadata/labels/d~0e", Value::Null),
            ("/spec/state", json!("running")),
        ]);
        let metadata = json!({ "annotations": { "a.b/c": "x" }, "labels": { "d~e": null } });
        assert_eq!(patch, json!({ "metadata": metadata, "spec": { "state": "running" } }));
    }

    // A scalar has no members, so the longer pointer could panic.
    #[test]
    fn a_longer_pointer_overrides_a_shorter_one() {
        assert_eq!(patch_of(&[("/a", json!(1)), ("/a/b", json!(2))]), json!({ "a": { "b": 2 } }));
    }

    #[test]
    fn a_pointer_undoes_the_escaping() {
        let label = "racetrap.dev/a~1b~0";
        let patch = patch_of(&[(&format!("/{}", escaped(label)), json!("x"))]);
        assert_eq!(patch, json!({ label: "x" }));
    }
}
