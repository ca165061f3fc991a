//! Waits for levels, and says whose failure it is where one is not reached.

use std::ops::ControlFlow;

use racetrap_history::{ACTION, Await, Blame, DAEMON_PARTS, MirrorKey, MirrorRef, View};
use serde_json::Value;

use super::runner::{Runner, StepError};
use crate::wait::until;

impl Runner {
    pub(super) async fn await_level(&self, level: &Await) -> Result<(), StepError> {
        self.until(format!("{level:?}"), |view| reached(level, view)).await.map_err(|error| {
            // Only what the engine holds, or the App was told, is the daemon's to show.
            let promised = self.recorder().with_view(|view| is_promised(level, view));
            match (error.blame, promised) {
                (Blame::Daemon, false) => StepError { blame: Blame::Schedule, ..error },
                _ => error,
            }
        })
    }

    /// Waits for what the daemon must reach by itself, for as long as its world stands.
    pub(super) async fn until(
        &self,
        what: String,
        mut reached: impl FnMut(&View) -> bool,
    ) -> Result<(), StepError> {
        let waited = until(what, self.deadline, self.recorder(), |view| {
            if let Some(end) = world_end(view) {
                return ControlFlow::Break(Err(StepError { blame: Blame::World, why: end }));
            }
            if reached(view) {
                return ControlFlow::Break(Ok(()));
            }
            ControlFlow::Continue(describe(view))
        });
        match waited.await {
            Ok(ended) => ended,
            Err(error) => Err(StepError::by(Blame::Daemon, &error)),
        }
    }
}

/// The end of a process of the world that is not the daemon.
pub(super) fn world_end(view: &View) -> Option<String> {
    let mut ended = view.ended().iter().filter(|(name, _)| !DAEMON_PARTS.contains(&name.as_str()));
    ended.next().map(|(name, how)| format!("the {name} ended by itself: {how}"))
}

/// Whether the daemon has to reach the level at all, by what the engine holds.
fn is_promised(level: &Await, view: &View) -> bool {
    let truth = view.truth();
    match level {
        Await::Converged
        | Await::Condition { .. }
        | Await::Reason { .. }
        | Await::Gone(_)
        | Await::Done { .. }
        | Await::CurrentContext(_)
        | Await::LogLines { .. }
        | Await::LogEnd(_)
        | Await::LogStreams(_)
        | Await::Engine { .. } => true,
        Await::GivenUp(_) | Await::Terminating(_) | Await::Wants { .. } | Await::WantsStop => false,
        Await::Volume(name) => truth.volumes.contains_key(name),
        Await::Tag(tag) => truth.images.values().any(|image| image.tags.contains(tag)),
        Await::Container { name, state } => truth.containers.values().any(|container| {
            container.name == *name && state.as_ref().is_none_or(|state| container.state == *state)
        }),
    }
}

fn reached(level: &Await, view: &View) -> bool {
    let mirrors = view.mirrors();
    match level {
        Await::Converged => view.differences().is_empty(),
        Await::Condition { r#type, status } => {
            view.app().is_some_and(|app| app.holds(r#type, status))
        }
        Await::Gone(mirror) => view.mirror_object(mirror).is_none(),
        Await::Terminating(mirror) => view.mirror_object(mirror).is_some_and(|(_, object)| {
            object.pointer("/metadata/deletionTimestamp").is_some()
        }),
        Await::Reason { r#type, reason } => view.app().is_some_and(|app| {
            app.condition(r#type).is_some_and(|(_, seen)| seen == reason)
        }),
        Await::Wants { engine } => view.app().is_some_and(|app| app.engine == *engine),
        Await::CurrentContext(name) => view.current_context() == view.context_named(name),
        Await::GivenUp(gate) => view.was_given_up(gate),
        Await::WantsStop => view.app().is_some_and(|app| !app.wants_running),
        Await::Done { container, state } => {
            let mirror = MirrorRef::Container(container.clone());
            let found = view.mirror_object(&mirror);
            // A wish that is told before its annotation is taken away would swallow the next one.
            found.is_some_and(|(_, object)| {
                let last = object.pointer("/status/lastAction/state").and_then(Value::as_str);
                last == Some(state) && object.pointer(ACTION).is_none()
            })
        }
        Await::LogLines { client, lines } => {
            view.log_clients().get(&client.0).is_some_and(|client| client.lines >= *lines)
        }
        Await::LogEnd(client) => {
            view.log_clients().get(&client.0).is_some_and(|client| client.ended.is_some())
        }
        Await::LogStreams(most) => view.log_streams() <= *most,
        Await::Engine { container, state } => view
            .truth()
            .containers
            .values()
            .any(|held| held.name == *container && held.state == *state),
        Await::Volume(name) => {
            mirrors.iter().any(|mirror| mirror.key == MirrorKey::Volume(name.clone()))
        }
        Await::Tag(wanted) => mirrors.iter().any(|mirror| {
            matches!(&mirror.key, MirrorKey::Image { tag: Some(tag), .. } if tag == wanted)
        }),
        Await::Container { name, state } => mirrors.iter().any(|mirror| {
            let field = |field: &str| mirror.fields.get(field);
            matches!(mirror.key, MirrorKey::Container(_))
                && field("name") == Some(name)
                && state.as_ref().is_none_or(|state| field("status") == Some(state))
        }),
    }
}

/// What a view is like, in a line, for the error of a wait.
fn describe(view: &View) -> String {
    let app = view.app();
    let conditions = app.map_or_else(
        || "no App".to_owned(),
        |app| format!("{}; {}", app.describe("ContainerEngineReady"), app.describe("Settled")),
    );
    let differences = view.differences();
    let mirrors =
        if differences.is_empty() { "converged".to_owned() } else { differences.join("; ") };
    let ended: Vec<_> =
        view.ended().iter().map(|(name, how)| format!("{name} ended: {how}")).collect();
    [conditions, mirrors, ended.join("; ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
