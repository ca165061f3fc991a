//! Changes that the engine makes and reports by no event.
//!
//! - A start that fails before the engine has connected a network changes the container's exit code and
//!   error (contract 4.2.20).
//! - When a repository loses its last tag of an image, the engine takes its digests from the image, after the
//!   event `untag` (contract 4.2.9).
//!
//! The daemon cannot know of them, so a mirror may have the older values until an event of the engine names the
//! object, whether the daemon has subscribed to such events or not, or until the daemon subscribes again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::EVENTS;
use crate::mirror::{MirrorKey, field_form};
use crate::record::{EngineContainer, EngineState, Record, What, WireWhat};

/// What the engine said of containers and images last, and what it said before a change without an event.
#[derive(Clone, Debug, Default)]
pub(super) struct SilentChanges {
    /// The newest outcome of each container, by its ID.
    outcomes: BTreeMap<String, Outcome>,
    older_outcomes: BTreeMap<String, Vec<Outcome>>,
    /// The newest digests of each image as the text of a mirror's field, by its ID.
    digests: BTreeMap<String, String>,
    older_digests: BTreeMap<String, Vec<String>>,
}

/// How the last start or run of a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    /// The engine's word for the container's state.
    state: String,
    exit_code: i64,
    error: String,
}

impl Outcome {
    /// None in older journals, which have no exit codes.
    fn of(container: &EngineContainer) -> Option<Self> {
        let details = container.details.as_ref()?;
        let (exit_code, error) = (details.exit_code, details.error.clone());
        Some(Self { state: container.state.clone(), exit_code, error })
    }
}

impl SilentChanges {
    /// Applies the next record.
    pub(super) fn apply(&mut self, record: &Record) {
        if let What::Truth(state) = &record.what {
            self.apply_truth(state);
        }
        if let What::Engine(event) = &record.what {
            let own = (event.object == "container").then_some(&event.id);
            own.into_iter().chain(&event.container).for_each(|id| self.forget_outcomes(id));
        }
        let What::Wire(message) = &record.what else { return };
        if let WireWhat::Frame { frame } = &message.event {
            self.apply_frame(frame);
        } else if let WireWhat::Request { route: Some(route), .. } = &message.event
            && route == EVENTS
        {
            *self = Self::default();
        }
    }

    fn apply_truth(&mut self, state: &EngineState) {
        for (id, container) in &state.containers {
            let Some(now) = Outcome::of(container) else { continue };
            // The engine reports each change of the state.
            if let Some(before) = self.outcomes.insert(id.clone(), now.clone())
                && before != now
                && before.state == now.state
            {
                self.older_outcomes.entry(id.clone()).or_default().push(before);
            }
        }
        let form = field_form("images", "repoDigests").expect("it is compared");
        for (id, image) in &state.images {
            let Some(details) = &image.details else { continue };
            let digests = Value::from(details.repo_digests.clone());
            self.digests.insert(id.clone(), form.text(Some(&digests)));
        }
    }

    fn apply_frame(&mut self, frame: &Value) {
        named_containers(frame).for_each(|id| self.forget_outcomes(id));
        let image = frame.pointer("/Actor/ID").filter(|_| frame["Type"] == "image");
        let Some(id) = image.and_then(Value::as_str) else { return };
        if frame["Action"] != "untag" {
            self.older_digests.remove(id);
        } else if let Some(before) = self.digests.get(id) {
            self.older_digests.entry(id.to_owned()).or_default().push(before.clone());
        }
    }

    /// An event names the container, so the daemon can know how it ended.
    fn forget_outcomes(&mut self, id: &str) {
        self.outcomes.remove(id);
        self.older_outcomes.remove(id);
    }

    /// Whether the mirror's value of a field is one from before such a change.
    pub(super) fn allow(&self, key: &MirrorKey, field: &str, seen: &str) -> bool {
        match (key, field) {
            (MirrorKey::Container(id), "exitCode") => {
                self.older_outcome(id, |outcome| outcome.exit_code.to_string() == seen)
            }
            (MirrorKey::Container(id), "error") => {
                self.older_outcome(id, |outcome| outcome.error == seen)
            }
            (MirrorKey::Image { id, .. }, "repoDigests") => {
                self.older_digests.get(id).is_some_and(|older| older.iter().any(|one| one == seen))
            }
            _ => false,
        }
    }

    fn older_outcome(&self, id: &str, fits: impl FnMut(&Outcome) -> bool) -> bool {
        self.older_outcomes.get(id).is_some_and(|older| older.iter().any(fits))
    }
}

/// The IDs of the containers that an event is about: its own object, or the container that lost or got the
/// network or volume.
fn named_containers(frame: &Value) -> impl Iterator<Item = &str> {
    let own = frame.pointer("/Actor/ID").filter(|_| frame["Type"] == "container");
    let other = frame.pointer("/Actor/Attributes/container");
    [own, other].into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::Phase;
    use crate::record::{ContainerDetails, EngineEvent, EngineImage, ImageDetails, WireMessage};

    fn truth(state: &str, exit_code: i64, error: &str) -> What {
        let details = ContainerDetails { exit_code, error: error.to_owned(), ..Default::default() };
        let container = EngineContainer {
            name: "web".to_owned(),
            image: "i".to_owned(),
            state: state.to_owned(),
            labels: BTreeMap::new(),
            details: Some(details),
        };
        let containers = BTreeMap::from([("c".to_owned(), container)]);
        What::Truth(EngineState { containers, ..Default::default() })
    }

    fn wire(event: WireWhat) -> What {
        What::Wire(WireMessage { connection: 0, exchange: 0, event })
    }

    fn frame(frame: Value) -> What {
        wire(WireWhat::Frame { frame })
    }

    fn engine_event(object: &str, id: &str, container: Option<&str>) -> What {
        What::Engine(EngineEvent {
            object: object.to_owned(),
            action: "disconnect".to_owned(),
            id: id.to_owned(),
            container: container.map(str::to_owned),
            time_ns: 1,
        })
    }

    fn subscription() -> What {
        let (method, target) = ("GET".to_owned(), "/v1.41/events".to_owned());
        let route = Some(EVENTS.to_owned());
        wire(WireWhat::Request { method, target, route, phase: Phase::Steady })
    }

    fn after(history: Vec<What>) -> SilentChanges {
        let mut changes = SilentChanges::default();
        for what in history {
            changes.apply(&Record { seq: 0, at_us: 0, neighbour: false, what });
        }
        changes
    }

    fn is_allowed(history: Vec<What>, field: &str, seen: &str) -> bool {
        after(history).allow(&MirrorKey::Container("c".to_owned()), field, seen)
    }

    // Each row is what came after a start that failed, and whether the mirror may still be the older one.
    #[rstest]
    #[case::nothing(None, true)]
    #[case::another_failure(Some(truth("created", 126, "denied")), true)]
    #[case::event_of_another(
        Some(frame(json!({"Type": "container", "Action": "die", "Actor": {"ID": "d"}}))), true
    )]
    #[case::event(
        Some(frame(json!({"Type": "container", "Action": "die", "Actor": {"ID": "c"}}))), false
    )]
    #[case::event_of_its_network(
        Some(frame(json!({
            "Type": "network", "Action": "disconnect",
            "Actor": {"ID": "n", "Attributes": {"container": "c"}}
        }))), false
    )]
    // The daemon has not subscribed to events of networks, so nothing comes by the wire.
    #[case::event_of_its_network_without_a_subscription(
        Some(engine_event("network", "n", Some("c"))),
        false
    )]
    #[case::event_of_the_engine(Some(engine_event("container", "c", None)), false)]
    #[case::event_of_another_network(Some(engine_event("network", "c", Some("d"))), true)]
    #[case::subscription(Some(subscription()), false)]
    fn a_mirror_keeps_what_no_event_has_changed(#[case] then: Option<What>, #[case] may: bool) {
        let failed = [truth("created", 0, ""), truth("created", 127, "no such file")];
        let history: Vec<_> = failed.into_iter().chain(then).collect();
        assert_eq!(is_allowed(history.clone(), "exitCode", "0"), may);
        assert_eq!(is_allowed(history.clone(), "error", ""), may);
        assert!(!is_allowed(history.clone(), "exitCode", "3"), "a value that never was");
        assert!(!is_allowed(history, "pid", "0"), "another field");
    }

    // The engine has an event for each change of the state.
    #[test]
    fn a_run_that_ended_is_reported() {
        let history = vec![truth("running", 0, ""), truth("exited", 1, "")];
        assert!(!is_allowed(history, "exitCode", "0"));
    }

    fn image(digests: &[&str]) -> What {
        let repo_digests = digests.iter().map(|digest| (*digest).to_owned()).collect();
        let image = EngineImage {
            tags: Vec::new(),
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            labels: BTreeMap::new(),
            details: Some(ImageDetails { repo_digests, ..Default::default() }),
        };
        let images = BTreeMap::from([("i".to_owned(), image)]);
        What::Truth(EngineState { images, ..Default::default() })
    }

    fn image_event(action: &str) -> What {
        frame(json!({"Type": "image", "Action": action, "Actor": {"ID": "i"}}))
    }

    // The engine takes the digest away after its event, so the daemon may have read it before.
    #[rstest]
    #[case::untag(&["untag"], true)]
    #[case::tag(&["tag"], false)]
    #[case::a_later_event(&["untag", "tag"], false)]
    fn a_mirror_may_have_a_digest_that_an_untag_has_taken(
        #[case] actions: &[&str],
        #[case] may: bool,
    ) {
        let events = actions.iter().map(|action| image_event(action));
        let history: Vec<_> =
            [image(&["r@d"])].into_iter().chain(events).chain([image(&[])]).collect();
        let key = MirrorKey::Image { id: "i".to_owned(), tag: Some("base:1".to_owned()) };
        assert_eq!(after(history.clone()).allow(&key, "repoDigests", "r@d"), may);
        assert!(!after(history).allow(&key, "repoDigests", "r@e"), "a value that never was");
    }
}
