//! Users of the daemon's API.

use std::collections::BTreeMap;

use racetrap_history::{
    ACTION, Action, ApiStep, Blame, MirrorRef, Protocol, STATE, UserObject, UserPatch, View,
};
use serde_json::{Value, json};

use crate::daemon::{Resource, client_writes};
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// Does one step.
pub(in crate::run) async fn step(scene: &Scene, step: &ApiStep) -> Result<(), StepError> {
    match step {
        ApiStep::Act { container, action } => act(scene, container, *action).await,
        ApiStep::Patch(of) => patch(scene, of).await,
        ApiStep::CreateObject(object) => create_object(scene, object).await,
        ApiStep::Delete(mirror) => delete(scene, mirror).await,
        ApiStep::Keep(mirror) => keep(scene, mirror, true).await,
        ApiStep::LetGo(mirror) => keep(scene, mirror, false).await,
        ApiStep::Touch { times } => touch(scene, *times).await,
    }
}

/// Asks for a change of a container's state, by the protocol that the daemon's kinds have.
async fn act(scene: &Scene, container: &str, action: Action) -> Result<(), StepError> {
    let (resource, object) = find_mirror(scene, &MirrorRef::Container(container.to_owned()))?;
    let (pointer, wanted) = match (scene.world.api.protocol().await?, action) {
        (Protocol::Action, action) => (ACTION, action.verb()),
        (Protocol::State, Action::Start | Action::Unpause) => (STATE, "running"),
        (Protocol::State, Action::Stop) => (STATE, "created"),
        (Protocol::State, Action::Pause | Action::Restart) => {
            let why = format!("the protocol `state` cannot say `{}`", action.verb());
            return Err(StepError { blame: Blame::Schedule, why });
        }
    };
    let set = BTreeMap::from([(pointer.to_owned(), json!(wanted))]);
    client_writes::patch(&scene.world.api, scene.recorder(), resource, &object, &set).await?;
    Ok(())
}

async fn patch(scene: &Scene, patch: &UserPatch) -> Result<(), StepError> {
    let (resource, object) = find_mirror(scene, &patch.of)?;
    for time in 1..=patch.times {
        let numbered = |value: &Value| match value.as_str() {
            Some(text) => Value::from(text.replace("{n}", &time.to_string())),
            None => value.clone(),
        };
        let set = patch.set.iter().map(|(at, value)| (at.clone(), numbered(value))).collect();
        client_writes::patch(&scene.world.api, scene.recorder(), resource, &object, &set).await?;
    }
    Ok(())
}

async fn create_object(scene: &Scene, object: &UserObject) -> Result<(), StepError> {
    let Some(resource) = Resource::from_plural(&object.resource) else {
        let why = format!("there is no resource `{}`", object.resource);
        return Err(StepError { blame: Blame::Schedule, why });
    };
    let name = scene.resolved(&object.name)?;
    // Revisions differ in the namespace of the mirrors (contract 9). Each full sync creates this object
    // in it.
    let moby = scene.recorder().with_view(|view| {
        view.object("containernamespaces", "moby")?.pointer("/metadata/namespace").cloned()
    });
    let Some(namespace) = moby.as_ref().and_then(Value::as_str) else {
        let why = "no full sync has shown yet which namespace has the mirrors".to_owned();
        return Err(StepError { blame: Blame::Schedule, why });
    };
    let object = UserObject { name, ..object.clone() };
    client_writes::create(&scene.world.api, scene.recorder(), resource, namespace, &object).await?;
    Ok(())
}

async fn delete(scene: &Scene, mirror: &MirrorRef) -> Result<(), StepError> {
    let (resource, object) = find_mirror(scene, mirror)?;
    Ok(client_writes::delete(&scene.world.api, scene.recorder(), resource, &object)
        .await
        .map(drop)?)
}

/// Adds a finalizer to a mirror that the daemon must not remove, or removes that finalizer.
async fn keep(scene: &Scene, mirror: &MirrorRef, keep: bool) -> Result<(), StepError> {
    let (resource, object) = find_mirror(scene, mirror)?;
    let api = &scene.world.api;
    if keep {
        client_writes::add_finalizer(api, resource, &object).await?;
    } else {
        client_writes::remove_finalizer(api, resource, &object).await?;
    }
    Ok(())
}

/// Changes the App in a way that gives the daemon nothing to do. The harness's watch has shown each
/// change before the next one is made.
async fn touch(scene: &Scene, times: u32) -> Result<(), StepError> {
    for time in 1..=times {
        let stored = client_writes::touch_app(&scene.world.api, scene.recorder(), time).await?;
        let version = stored.pointer("/metadata/resourceVersion").cloned();
        let version = version.and_then(|version| version.as_str()?.parse::<u64>().ok());
        let seen = |view: &View| {
            let app = view.object("apps", "app");
            let at = app.and_then(|app| app.pointer("/metadata/resourceVersion"));
            at.and_then(Value::as_str).and_then(|at| at.parse::<u64>().ok()) >= version
        };
        scene.until(format!("touch {time} of the App to be seen"), seen).await?;
    }
    Ok(())
}

fn find_mirror(scene: &Scene, mirror: &MirrorRef) -> Result<(Resource, Value), StepError> {
    let found = scene.recorder().with_view(|view| {
        let (resource, object) = view.mirror_object(mirror)?;
        Some((Resource::from_plural(resource)?, object.clone()))
    });
    found.ok_or_else(|| StepError { blame: Blame::Schedule, why: format!("{mirror} is not there") })
}
