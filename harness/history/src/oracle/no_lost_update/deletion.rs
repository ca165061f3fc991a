//! A mirror that a user deleted disappears when the engine has removed its object, and does not come back
//! (contract 4.3: the daemon removes the finalizer only after the engine has removed the object). While
//! an image or a volume is in use, the engine refuses to remove it, and its mirror stays marked for
//! deletion.
//!
//! At each checkpoint at which the App wants the engine to run, this oracle reports:
//! - a mirror that is gone although the engine had the object all the time;
//! - a mirror that came back under another UID although the engine's object is gone for good;
//! - the mirror of an image or a volume that still exists, if the daemon never asked the engine to
//!   remove the object.
//!
//! A request is not judged any more after a stop, a switch of engines, or a start or an end of the daemon,
//! because the daemon's sweep removes mirrors without asking the engine (contract 4.6). After a fault on
//! the wire it is not judged either.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::mirror::{Mirror, MirrorKey, expected};
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::oracle::users::{Deletion, UserDeletions};
use crate::record::{EngineEvent, Record, Stage, What, WireMessage, WireWhat};
use crate::view::View;

/// A user's request to delete a mirror.
struct DeletionRequest {
    resource: String,
    name: String,
    key: MirrorKey,
    /// The daemon asked the engine to remove an object of this kind.
    engine_asked: bool,
    /// The engine's object did not exist at some time since.
    engine_removed: bool,
    /// A watch reported that the mirror was deleted.
    mirror_deleted: bool,
    /// The record that shows a mirror of the same name with another UID.
    recreated_at: Option<u64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut keys: BTreeMap<String, MirrorKey> = BTreeMap::new();
    let mut requests: BTreeMap<String, DeletionRequest> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let deletions = UserDeletions::from_history(history);
    for record in history {
        view.apply(record);
        if view.wants_no_mirrors() {
            requests.clear();
        }
        for deletion in deletions.at(record.seq) {
            if let Some(key) = keys.get(deletion.uid) {
                let mut request = DeletionRequest::new(deletion, key);
                // The watch may have reported the deletion before the API answered the user.
                request.mirror_deleted = gone.contains(deletion.uid);
                requests.insert(deletion.uid.to_owned(), request);
            }
        }
        match &record.what {
            What::Process { name, .. } if name == "daemon" => requests.clear(),
            What::Engine(event) => requests.retain(|_, request| !request.ended_by(event)),
            What::Truth(state) => {
                let present = expected(state);
                for request in requests.values_mut() {
                    request.engine_removed |= !present.contains_key(&request.key);
                }
            }
            What::Wire(WireMessage { event, .. }) => match event {
                WireWhat::Faulted { .. } => requests.clear(),
                WireWhat::Request { method, route: Some(route), .. } if method == "DELETE" => {
                    // The kind suffices: the target may name the object by an ID or by a tag.
                    for request in requests.values_mut() {
                        request.engine_asked |=
                            route.starts_with(&format!("/{}/", request.resource));
                    }
                }
                _ => {}
            },
            What::Checkpoint { stage: Stage::Probed, .. } => {
                for (uid, request) in &requests {
                    request.judge(uid, &view, record.seq, &mut finding);
                }
                // A deleted mirror is judged once, so that no violation is repeated.
                requests.retain(|_, request| !request.mirror_deleted);
            }
            what => {
                for seen in ObservedObject::in_record(what) {
                    let mirror = Mirror::read(seen.resource, seen.object);
                    let key = mirror.map(|mirror| mirror.key);
                    if let Some(key) = key.filter(|key| !matches!(key, MirrorKey::Blank { .. })) {
                        keys.insert(seen.uid().to_owned(), key);
                    }
                    if seen.is_deleted() {
                        gone.insert(seen.uid().to_owned());
                    }
                    for (uid, request) in &mut requests {
                        request.apply(uid, &seen, record.seq);
                    }
                }
            }
        }
    }
    finding
}

impl DeletionRequest {
    fn new(deletion: &Deletion<'_>, key: &MirrorKey) -> Self {
        Self {
            resource: deletion.resource.to_owned(),
            name: deletion.name.to_owned(),
            key: key.clone(),
            engine_asked: false,
            engine_removed: false,
            mirror_deleted: false,
            recreated_at: None,
        }
    }

    /// Applies an event of the engine. Returns whether the request must not be judged any more, because
    /// the engine has a new object of the same identity.
    fn ended_by(&mut self, event: &EngineEvent) -> bool {
        let Some(id) = self.key.engine_id() else { return true };
        if id != event.id {
            return false;
        }
        match event.action.as_str() {
            "destroy" | "delete" | "untag" => self.engine_removed = true,
            // From here on it is another object, or it has a tag again.
            "create" | "tag" | "load" | "import" | "pull" => return true,
            _ => {}
        }
        false
    }

    fn apply(&mut self, uid: &str, seen: &ObservedObject<'_>, seq: u64) {
        if seen.uid() == uid {
            self.mirror_deleted |= seen.is_deleted();
        } else if self.mirror_deleted
            && !seen.is_deleted()
            && (seen.resource, seen.name()) == (&self.resource, &self.name)
        {
            self.recreated_at = self.recreated_at.or(Some(seq));
        }
    }

    fn judge(&self, uid: &str, view: &View, seq: u64, finding: &mut Finding) {
        let key = &self.key;
        let in_engine = view.expected().contains_key(key);
        let mirrors = view.mirrors();
        let mirror = mirrors.iter().find(|mirror| mirror.uid == uid);
        let may_be_in_use = matches!(key, MirrorKey::Image { .. } | MirrorKey::Volume(_));
        let mut violated = |check, seq, how: &str| {
            let text = format!("{key}: a user deleted its mirror, {how}");
            finding.violated(check, seq, text);
        };
        match (mirror, self.recreated_at) {
            (None, recreated_at) if self.mirror_deleted && in_engine && !self.engine_removed => {
                let how = "and the daemon removed the mirror but not the engine's object";
                violated(Check::MirrorRemovedAlone, recreated_at.unwrap_or(seq), how);
            }
            (None, Some(recreated_at)) if self.engine_removed && !in_engine => {
                let how = "and the mirror came back although the engine's object is gone";
                violated(Check::MirrorCameBack, recreated_at, how);
            }
            // Only a mirror that waits for the daemon is judged: somebody else's finalizer may keep it,
            // and a request to the engine may still be in flight.
            (Some(mirror), _)
                if mirror.terminating
                    && !mirror.kept
                    && may_be_in_use
                    && in_engine
                    && !self.engine_asked
                    && view.in_flight().is_empty() =>
            {
                let how = "and the daemon never asked the engine to remove the object";
                violated(Check::NeverAsked, seq, how);
            }
            _ => {}
        }
    }
}
