//! Waits for one level, and says whose failure it is if the level is not reached.

use racetrap_history::{ACTION, Await, Blame, ClientName, MirrorKey, MirrorRef, View};
use serde_json::Value;

use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// Waits for a level.
pub(super) async fn await_level(scene: &Scene, level: &Await) -> Result<(), StepError> {
    let what = format!("{level:?}");
    let depends_on_daemon = |view: &View| depends_on_daemon(level, view);
    let waited = scene.until_proof(what, |view| reached(level, view), depends_on_daemon).await;
    waited.map_err(|error| {
        // The daemon must show only what the engine holds or the App was told.
        let promised = scene
            .recorder()
            .with_view(|view| is_promised(level, view) && view.vm_bound() < scene.deadline);
        match (error.blame, promised) {
            (Blame::Daemon, false) => StepError { blame: Blame::Schedule, ..error },
            _ => error,
        }
    })
}

/// Whether the daemon must reach the level at all, judged by what the engine holds.
fn is_promised(level: &Await, view: &View) -> bool {
    let truth = view.truth();
    match level {
        Await::Converged
        | Await::Condition { .. }
        | Await::Reason { .. }
        | Await::VmStarts(_)
        | Await::Gone(_)
        | Await::Done { .. }
        | Await::CurrentContext(_)
        | Await::LogEnd(_)
        | Await::LogAnswer(_)
        | Await::LogStreams(_)
        | Await::Engine { .. } => true,
        Await::LogLines { client, .. } => !log_has_ended(client, view),
        // The engine sends its events, whatever the daemon does.
        Await::Event(_)
        | Await::GivenUp(_)
        | Await::Terminating(_)
        | Await::Wants { .. }
        | Await::WantsStop => false,
        Await::Volume(name) => {
            truth.volumes.contains_key(name)
                && !view.is_told_missing(&MirrorKey::Volume(name.clone()))
        }
        Await::Tag(tag) => truth.images.iter().any(|(id, image)| {
            let key = MirrorKey::Image { id: id.clone(), tag: Some(tag.clone()) };
            image.tags.contains(tag) && !view.is_told_missing(&key)
        }),
        Await::Container { name, state } => truth.containers.iter().any(|(id, container)| {
            container.name == *name
                && state.as_ref().is_none_or(|state| container.state == *state)
                && !view.is_told_missing(&MirrorKey::Container(id.clone()))
        }),
    }
}

/// Whether the engine has ended the log of a client, and nothing on the wire has disturbed it. Then nobody can
/// give the client more of it. Whether the client has all of it, `log_fidelity` judges.
fn log_has_ended(client: &ClientName, view: &View) -> bool {
    let exchanges = view.log_exchanges(&client.0);
    let mut exchanges = exchanges.into_iter().filter_map(|it| view.log_exchange(it)).peekable();
    exchanges.peek().is_some() && exchanges.all(|it| it.is_finished && !it.is_disturbed)
}

/// Whether the daemon alone decides now if the level is reached: the engine, clients and the schedule have
/// done their part. Only then a proof that the daemon has nothing left to do ends the wait.
fn depends_on_daemon(level: &Await, view: &View) -> bool {
    match level {
        Await::Converged
        | Await::Condition { .. }
        | Await::Reason { .. }
        | Await::Done { .. }
        | Await::CurrentContext(_)
        | Await::Volume(_)
        | Await::Tag(_)
        | Await::Container { .. } => is_promised(level, view),
        // The user has asked for the deletion, or the object is gone. Otherwise the engine may still remove
        // it.
        Await::Gone(mirror) => {
            !is_in_engine(mirror, view)
                || view.mirror_object(mirror).is_some_and(|(_, object)| {
                    object.pointer("/metadata/deletionTimestamp").is_some()
                })
        }
        // A user of the API has asked the daemon for a state of a container, and it is not carried out.
        Await::Engine { .. } => !view.pending().is_empty(),
        // Clients of logs are pinged and dropped by longer timers (contract 6.1), and containers go on
        // as their programs do.
        Await::LogLines { .. }
        | Await::LogEnd(_)
        | Await::LogAnswer(_)
        | Await::LogStreams(_)
        | Await::Event(_)
        // A VM boots for as long as its guest needs.
        | Await::VmStarts(_)
        | Await::GivenUp(_)
        | Await::Terminating(_)
        | Await::Wants { .. }
        | Await::WantsStop => false,
    }
}

/// Whether the engine has what a mirror stands for, as the harness saw it last.
fn is_in_engine(mirror: &MirrorRef, view: &View) -> bool {
    let truth = view.truth();
    match mirror {
        MirrorRef::Container(name) => truth.containers.values().any(|held| held.name == *name),
        MirrorRef::Tag(tag) => truth.images.values().any(|image| image.tags.contains(tag)),
        MirrorRef::Volume(name) => truth.volumes.contains_key(name),
        // A name does not say whether the image still has no tag.
        MirrorRef::Dangling(_) => true,
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
        Await::VmStarts(times) => view.object("limavms", "rd").is_some_and(|vm| {
            let starts = vm.pointer("/status/restartCount").and_then(Value::as_u64);
            let conditions = vm.pointer("/status/conditions").and_then(Value::as_array);
            let mut conditions = conditions.into_iter().flatten();
            let runs = conditions.any(|it| it["type"] == "Running" && it["status"] == "True");
            runs && starts.unwrap_or_default() >= u64::from(*times)
        }),
        Await::Wants { engine } => view.app().is_some_and(|app| app.engine == *engine),
        Await::CurrentContext(name) => view.current_context() == view.context_named(name),
        Await::GivenUp(gate) => view.was_given_up(gate),
        Await::WantsStop => view.app().is_some_and(|app| !app.wants_running),
        Await::Done { container, state } => {
            let mirror = MirrorRef::Container(container.clone());
            let found = view.mirror_object(&mirror);
            // Until the daemon has removed the annotation, it would remove the next one along with it.
            found.is_some_and(|(_, object)| {
                let last = object.pointer("/status/lastAction/state").and_then(Value::as_str);
                last == Some(state) && object.pointer(ACTION).is_none()
            })
        }
        Await::LogLines { client, lines } => {
            view.log_clients().get(&client.0).is_some_and(|client| client.lines >= *lines)
        }
        Await::LogAnswer(client) => view
            .log_clients()
            .get(&client.0)
            .is_some_and(|client| client.status.is_some() || client.unanswered),
        Await::Event(event) => view.engine_events(event) >= event.times,
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

#[cfg(test)]
mod tests {
    use racetrap_history::{
        Codes, LogClient, LogEvent, Phase, Record, What, WireMessage, WireWhat,
    };
    use rstest::rstest;

    use super::*;

    const ID: &str = "0123456789abcdef";

    // The engine gives the client no more lines once it has ended the log; the daemon must not be blamed.
    #[rstest]
    #[case::goes_on(&[], true)]
    #[case::ended(&[WireWhat::Finished { bytes: 9 }], false)]
    #[case::cut_by_the_wire(&[WireWhat::Cut, WireWhat::Finished { bytes: 9 }], true)]
    fn lines_are_owed_while_the_engine_has_more(#[case] events: &[WireWhat], #[case] owed: bool) {
        let asked = LogEvent::Asked {
            target: format!("/passthrough/engine/logs/{ID}"),
            container: Some(ID.to_owned()),
            promised: Codes::One(101),
            reads: true,
        };
        let request = WireWhat::Request {
            method: "GET".to_owned(),
            target: format!("/v1.41/containers/{ID}/logs?follow=1&stdout=1&stderr=1"),
            route: Some("/containers/{id}/logs".to_owned()),
            phase: Phase::Steady,
        };
        let wire = |event| What::Wire(WireMessage { connection: 0, exchange: 1, event });
        let client = What::LogClient(LogClient { client: "c".to_owned(), event: asked });
        let mut whats = vec![client, wire(request)];
        whats.extend(events.iter().cloned().map(wire));
        let of = |(seq, what)| Record { seq, at_us: seq, neighbour: false, what };
        let records: Vec<_> = (1..).zip(whats).map(of).collect();
        let level = Await::LogLines { client: ClientName("c".to_owned()), lines: 3 };
        assert_eq!(is_promised(&level, &View::from_records(&records)), owed);
    }
}
