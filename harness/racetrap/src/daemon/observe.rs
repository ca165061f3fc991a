//! Follows the daemon's API by raw list and watch, and records every change.

use std::time::Duration;

use futures::TryStreamExt as _;
use kube::api::{WatchEvent, WatchParams};
use racetrap_history::{ApiChange, Change, What};
use tokio::task::JoinSet;

use super::api::{Api, ApiError, Resource, failed, plain};
use crate::chain::chain;
use crate::clock;
use crate::recorder::Recorder;

/// Records what is there of each resource now, and follows it in tasks from there on.
pub(super) async fn follow_all(
    api: &Api,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<(), ApiError> {
    for resource in Resource::ALL {
        let from = api.list(resource, recorder).await?;
        let (api, recorder) = (api.clone(), recorder.clone());
        tasks.spawn(async move { follow(&api, resource, from, &recorder).await });
    }
    Ok(())
}

/// Follows one resource for as long as the world lives; a lost watch begins anew with a list.
async fn follow(api: &Api, resource: Resource, mut from: String, recorder: &Recorder) {
    loop {
        let reason = match watch_from(api, resource, &from, recorder).await {
            Ok(()) => "ended by the server".to_owned(),
            Err(error) => chain(&error),
        };
        recorder.append(What::WatchLost { resource: resource.plural().to_owned(), reason });
        loop {
            match api.list(resource, recorder).await {
                Ok(version) => {
                    from = version;
                    break;
                }
                // The daemon may be down on purpose; its return is noticed by asking.
                Err(_) => clock::pause(Duration::from_millis(50)).await,
            }
        }
    }
}

async fn watch_from(
    api: &Api,
    resource: Resource,
    from: &str,
    recorder: &Recorder,
) -> Result<(), ApiError> {
    let what = format!("watch {}", resource.plural());
    let parameters = WatchParams::default();
    let watch = api.all(resource);
    let events = watch.watch(&parameters, from).await.map_err(failed(what.clone()))?;
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.try_next().await.map_err(failed(what.clone()))? {
        let (change, object) = match event {
            WatchEvent::Added(object) => (Change::Added, object),
            WatchEvent::Modified(object) => (Change::Modified, object),
            WatchEvent::Deleted(object) => (Change::Deleted, object),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => return Err(failed(what)(kube::Error::Api(status))),
        };
        recorder.append(What::Api(ApiChange {
            resource: resource.plural().to_owned(),
            change,
            object: plain(&object),
        }));
    }
    Ok(())
}
