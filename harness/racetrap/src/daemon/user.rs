//! What a user does to the daemon's API while its controllers look on.

use std::collections::BTreeMap;

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use racetrap_history::{UserObject, UserWrite, What};
use serde_json::{Value, json};

use super::api::{Api, ApiError, Resource, failed, plain};
use crate::recorder::Recorder;

/// Field manager of all that a user writes.
const MANAGER: &str = "racetrap-user";

/// The finalizer by which somebody else keeps a mirror.
const KEPT: &str = "racetrap.dev/kept";

/// The annotation by which the App is made to change without a change of what it wants.
const TOUCHED: &str = "/metadata/annotations/racetrap.dev~1touched";

/// How often a read-modify-write is begun anew, where others were faster each time.
const ATTEMPTS: u32 = 20;

/// Merges values into an object at JSON pointers (RFC 6901; no pointer leads into a list, which a
/// merge replaces whole); null removes. Gives the object as stored.
///
/// # Errors
/// Where the API refuses; then nothing is recorded.
pub(crate) async fn patch(
    api: &Api,
    recorder: &Recorder,
    resource: Resource,
    object: &Value,
    set: &BTreeMap<String, Value>,
) -> Result<Value, ApiError> {
    let merged = merge(api, resource, object, &merge_patch(set)).await;
    let stored = merged.map_err(failed(doing("patch", resource, object)))?;
    record(recorder, resource, &stored, set.clone(), false);
    Ok(stored)
}

/// Creates an object, whose name is that of the API. Gives it as stored.
///
/// # Errors
/// Where the API refuses; then nothing is recorded.
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
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    let created = api.within(resource, namespace).create(&params, &new).await;
    let what = format!("create {} {name}", resource.plural());
    let stored = plain(&created.map_err(failed(what))?);
    let labels = labels.iter().map(|(label, value)| {
        (format!("/metadata/labels/{}", escaped(label)), Value::from(value.clone()))
    });
    let spec = (!spec.is_null()).then(|| ("/spec".to_owned(), spec.clone()));
    record(recorder, resource, &stored, labels.chain(spec).collect(), false);
    Ok(stored)
}

/// Asks that an object be deleted. Gives what is still stored of it, or null where it is gone.
///
/// # Errors
/// Where the API refuses; then nothing is recorded.
pub(crate) async fn delete(
    api: &Api,
    recorder: &Recorder,
    resource: Resource,
    object: &Value,
) -> Result<Value, ApiError> {
    let place = api.place_of(resource, object);
    let deleted = place.delete(name(object), &DeleteParams::default()).await;
    let deleted = deleted.map_err(failed(doing("delete", resource, object)))?;
    let stored = deleted.left().map(|stored| plain(&stored)).unwrap_or_default();
    record(recorder, resource, object, BTreeMap::new(), true);
    Ok(stored)
}

/// Adds a finalizer that is not the daemon's, so that the object outlives its deletion. That is no
/// field of the user's, and not recorded as one.
///
/// # Errors
/// Where the API refuses, or others are faster each time.
pub(crate) async fn keep(api: &Api, resource: Resource, object: &Value) -> Result<Value, ApiError> {
    with_finalizers(api, resource, object, |finalizers| {
        if !finalizers.iter().any(|finalizer| finalizer == KEPT) {
            finalizers.push(KEPT.to_owned());
        }
    })
    .await
}

/// Takes that finalizer away. Gives the object as it was stored last.
///
/// # Errors
/// Where the API refuses, or others are faster each time.
pub(crate) async fn let_go(
    api: &Api,
    resource: Resource,
    object: &Value,
) -> Result<Value, ApiError> {
    with_finalizers(api, resource, object, |finalizers| {
        finalizers.retain(|finalizer| finalizer != KEPT);
    })
    .await
}

/// Writes a number into an annotation of the App, of which there is only one (contract 3.6).
///
/// # Errors
/// Where the API refuses; then nothing is recorded.
pub(crate) async fn touch_app(api: &Api, recorder: &Recorder, n: u32) -> Result<Value, ApiError> {
    let app = json!({ "metadata": { "name": "app" } });
    let set = BTreeMap::from([(TOUCHED.to_owned(), Value::from(n.to_string()))]);
    patch(api, recorder, Resource::Apps, &app, &set).await
}

/// A read-modify-write of the finalizers, which nobody else's write in between is lost by.
async fn with_finalizers(
    api: &Api,
    resource: Resource,
    object: &Value,
    change: impl Fn(&mut Vec<String>),
) -> Result<Value, ApiError> {
    let failure = || failed(doing("change the finalizers of", resource, object));
    let mut attempt = 1;
    loop {
        let current = api.place_of(resource, object).get(name(object)).await;
        let metadata = current.map_err(failure())?.metadata;
        let mut finalizers = metadata.finalizers.unwrap_or_default();
        change(&mut finalizers);
        let version = metadata.resource_version;
        let patch = json!({ "metadata": { "resourceVersion": version, "finalizers": finalizers } });
        match merge(api, resource, object, &patch).await {
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
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let place = api.place_of(resource, object);
    Ok(plain(&place.patch(name(object), &params, &Patch::Merge(patch)).await?))
}

/// The merge patch (RFC 7386) that puts each value at its pointer.
fn merge_patch(set: &BTreeMap<String, Value>) -> Value {
    let mut patch = json!({});
    for (pointer, value) in set {
        let mut place = &mut patch;
        for token in pointer.split('/').skip(1) {
            // A longer pointer comes after the shorter ones, and decides.
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[token.replace("~1", "/").replace("~0", "~")];
        }
        *place = value.clone();
    }
    patch
}

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

fn doing(what: &str, resource: Resource, object: &Value) -> String {
    format!("{what} {} {}", resource.plural(), name(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch_of(set: &[(&str, Value)]) -> Value {
        merge_patch(&set.iter().map(|(at, value)| ((*at).to_owned(), value.clone())).collect())
    }

    // The patch is compared whole: a token that is not unescaped, or a value that is put over its
    // neighbour, makes another one.
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

    // A scalar has no members: the longer pointer must not panic.
    #[test]
    fn a_longer_pointer_decides_over_a_shorter_one() {
        assert_eq!(patch_of(&[("/a", json!(1)), ("/a/b", json!(2))]), json!({ "a": { "b": 2 } }));
    }

    #[test]
    fn escaping_is_what_pointers_undo() {
        let label = "racetrap.dev/a~1b~0";
        let patch = patch_of(&[(&format!("/{}", escaped(label)), json!("x"))]);
        assert_eq!(patch, json!({ label: "x" }));
    }
}
