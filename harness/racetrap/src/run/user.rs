//! What a user of the daemon's API does.

use std::collections::BTreeMap;

use racetrap_history::{ACTION, Action, Blame, MirrorRef, Protocol, UserObject, UserPatch};
use serde_json::{Value, json};

use super::runner::{Runner, StepError};
use crate::daemon::{Resource, client_writes};

impl Runner {
    /// Asks for a container's state in the way that the daemon has.
    pub(super) async fn act(&self, container: &str, action: Action) -> Result<(), StepError> {
        let (resource, object) = self.mirror(&MirrorRef::Container(container.to_owned()))?;
        let (pointer, wish) = match (self.world.api.protocol().await?, action) {
            (Protocol::Action, action) => (ACTION, action.verb()),
            (Protocol::State, Action::Start | Action::Unpause) => ("/spec/state", "running"),
            (Protocol::State, Action::Stop) => ("/spec/state", "created"),
            (Protocol::State, Action::Pause | Action::Restart) => {
                let why = format!("the protocol `state` cannot say `{}`", action.verb());
                return Err(StepError { blame: Blame::Schedule, why });
            }
        };
        let set = BTreeMap::from([(pointer.to_owned(), json!(wish))]);
        client_writes::patch(&self.world.api, self.recorder(), resource, &object, &set).await?;
        Ok(())
    }

    pub(super) async fn patch(&self, patch: &UserPatch) -> Result<(), StepError> {
        let (resource, object) = self.mirror(&patch.of)?;
        for time in 1..=patch.times {
            let numbered = |value: &Value| match value.as_str() {
                Some(text) => Value::from(text.replace("{n}", &time.to_string())),
                None => value.clone(),
            };
            let set = patch.set.iter().map(|(at, value)| (at.clone(), numbered(value))).collect();
            client_writes::patch(&self.world.api, self.recorder(), resource, &object, &set).await?;
        }
        Ok(())
    }

    pub(super) async fn create_object(&self, object: &UserObject) -> Result<(), StepError> {
        let Some(resource) = Resource::from_plural(&object.resource) else {
            let why = format!("there is no resource `{}`", object.resource);
            return Err(StepError { blame: Blame::Schedule, why });
        };
        let name = self.resolved(&object.name)?;
        // Which namespace has the mirrors, differs between revisions (contract 9); this one is
        // made by each full sync.
        let moby = self.recorder().with_view(|view| {
            view.object("containernamespaces", "moby")?.pointer("/metadata/namespace").cloned()
        });
        let Some(namespace) = moby.as_ref().and_then(Value::as_str) else {
            let why = "no full sync has told yet where mirrors are".to_owned();
            return Err(StepError { blame: Blame::Schedule, why });
        };
        let object = UserObject { name, ..object.clone() };
        client_writes::create(&self.world.api, self.recorder(), resource, namespace, &object)
            .await?;
        Ok(())
    }

    pub(super) async fn delete(&self, mirror: &MirrorRef) -> Result<(), StepError> {
        let (resource, object) = self.mirror(mirror)?;
        Ok(client_writes::delete(&self.world.api, self.recorder(), resource, &object)
            .await
            .map(drop)?)
    }

    /// Puts a finalizer on a mirror that is not the daemon's to remove, or takes it away.
    pub(super) async fn keep(&self, mirror: &MirrorRef, keep: bool) -> Result<(), StepError> {
        let (resource, object) = self.mirror(mirror)?;
        let api = &self.world.api;
        if keep {
            client_writes::add_finalizer(api, resource, &object).await?;
        } else {
            client_writes::remove_finalizer(api, resource, &object).await?;
        }
        Ok(())
    }

    /// Changes the App so that nothing is to be done, each time after the last change was seen.
    pub(super) async fn touch(&self, times: u32) -> Result<(), StepError> {
        for time in 1..=times {
            let stored = client_writes::touch_app(&self.world.api, self.recorder(), time).await?;
            let version = stored.pointer("/metadata/resourceVersion").cloned();
            let version = version.and_then(|version| version.as_str()?.parse::<u64>().ok());
            let seen = |view: &racetrap_history::View| {
                let app = view.object("apps", "app");
                let at = app.and_then(|app| app.pointer("/metadata/resourceVersion"));
                at.and_then(Value::as_str).and_then(|at| at.parse::<u64>().ok()) >= version
            };
            self.until(format!("touch {time} of the App to be seen"), seen).await?;
        }
        Ok(())
    }

    fn mirror(&self, mirror: &MirrorRef) -> Result<(Resource, Value), StepError> {
        let found = self.recorder().with_view(|view| {
            let (resource, object) = view.mirror_object(mirror)?;
            Some((Resource::from_plural(resource)?, object.clone()))
        });
        found.ok_or_else(|| StepError {
            blame: Blame::Schedule,
            why: format!("{mirror} is not there"),
        })
    }
}
