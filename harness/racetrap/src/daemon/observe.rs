//! Follows the daemon's API by list and watch, and records every change.

use std::time::Duration;

use futures::TryStreamExt as _;
use kube::api::{WatchEvent, WatchParams};
use racetrap_history::{ApiChange, Change, What};
use tokio::task::JoinSet;

use super::api::{Api, ApiError, Resource, failed, plain};
use crate::chain::chain;
use crate::clock;
use crate::recorder::Recorder;

/// How long to pause between two attempts to list a resource of a daemon that does not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Records the objects of each resource as they are now, then follows each resource in a task of
/// its own.
pub(super) async fn follow_all(
    api: &Api,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<(), ApiError> {
    for resource in Resource::ALL {
        // Listed here and not in the task, so that the view knows all objects when this returns.
        let from = api.list(resource, recorder).await?;
        let (api, recorder) = (api.clone(), recorder.clone());
        tasks.spawn(async move { follow(&api, resource, from, &recorder).await });
    }
    Ok(())
}

/// Follows one resource until its task is aborted. After a lost watch it lists the resource again:
/// the API server may have forgotten the changes since the last version that was seen.
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
                // A scenario may have stopped the daemon. Nothing announces its return, so the
                // observer asks again.
                Err(_) => clock::pause(RETRY_PAUSE).await,
            }
        }
    }
}

/// Records every change after version `from`, until the server ends the watch or an error occurs.
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
            // It carries a version and no change.
            WatchEvent::Bookmark(_) => continue,
            // For example 410, if the server has forgotten the version.
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
