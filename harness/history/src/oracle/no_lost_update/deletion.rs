//! A mirror that a user deleted goes when the engine has let its object go, and does not come back
//! (contract 4.3: the finalizer is removed only after the engine agreed). While the engine has an
//! image or a volume in use, its mirror stays marked for deletion.
//!
//! Judged at each checkpoint at which the App wants the engine to run:
//! - the mirror is gone, although the engine has had the object all the time;
//! - the mirror came back under another UID, although the engine's object is gone for good;
//! - the mirror of an image or a volume is still there, and the engine was never asked to remove it.
//!
//! A wish ends with a stop, a switch of engines and with the daemon, whose sweep takes mirrors
//! without asking the engine (contract 4.6); after a fault on the wire nothing is judged of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::mirror::{Mirror, MirrorKey, expected};
use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{EngineEvent, Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::OracleName;
use crate::view::View;

/// A user's wish that a mirror be deleted.
struct Wish {
    resource: String,
    name: String,
    key: MirrorKey,
    /// The engine was asked to remove an object of this kind.
    asked: bool,
    /// The engine's object was gone at some time.
    let_go: bool,
    /// The mirror's object was deleted.
    deleted: bool,
    /// Record at which a mirror under another UID was seen.
    back: Option<u64>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut keys: BTreeMap<String, MirrorKey> = BTreeMap::new();
    let mut wishes: BTreeMap<String, Wish> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for record in history {
        view.apply(record);
        if view.wants_no_mirrors() {
            wishes.clear();
        }
        match &record.what {
            What::UserWrite(write) if write.deleted => {
                if let Some(key) = keys.get(&write.uid) {
                    let mut wish = Wish::of(&write.resource, &write.name, key);
                    // The watch may have told of it before the user was answered.
                    wish.deleted = gone.contains(&write.uid);
                    wishes.insert(write.uid.clone(), wish);
                }
            }
            What::Process { name, .. } if name == "daemon" => wishes.clear(),
            What::Engine(event) => wishes.retain(|_, wish| !wish.ended_by(event)),
            What::Truth(state) => {
                let there = expected(state);
                for wish in wishes.values_mut() {
                    wish.let_go |= !there.contains_key(&wish.key);
                }
            }
            What::Wire(WireMessage { event, .. }) => match event {
                WireWhat::Faulted { .. } => wishes.clear(),
                WireWhat::Request { method, route: Some(route), .. } if method == "DELETE" => {
                    for wish in wishes.values_mut() {
                        wish.asked |= route.starts_with(&format!("/{}/", wish.resource));
                    }
                }
                _ => {}
            },
            What::Checkpoint { stage: Stage::Probed, .. } => {
                for (uid, wish) in &wishes {
                    wish.judge(uid, &view, record.seq, &mut finding);
                }
                // What was judged once is not said again.
                wishes.retain(|_, wish| !wish.deleted);
            }
            what => {
                for seen in Seen::all(what) {
                    let mirror = Mirror::read(seen.resource, seen.object);
                    let key = mirror.map(|mirror| mirror.key);
                    if let Some(key) = key.filter(|key| !matches!(key, MirrorKey::Blank { .. })) {
                        keys.insert(seen.uid().to_owned(), key);
                    }
                    if seen.is_gone() {
                        gone.insert(seen.uid().to_owned());
                    }
                    wishes.iter_mut().for_each(|(uid, wish)| wish.see(uid, &seen, record.seq));
                }
            }
        }
    }
    finding
}

impl Wish {
    fn of(resource: &str, name: &str, key: &MirrorKey) -> Self {
        let (resource, name) = (resource.to_owned(), name.to_owned());
        let key = key.clone();
        Self { resource, name, key, asked: false, let_go: false, deleted: false, back: None }
    }

    /// The engine has, or has again, what the mirror stood for; or let it go.
    fn ended_by(&mut self, event: &EngineEvent) -> bool {
        let Some(id) = self.key.engine_id() else { return true };
        if id != event.id {
            return false;
        }
        match event.action.as_str() {
            "destroy" | "delete" | "untag" => self.let_go = true,
            // It is another object from here on, or has another tag.
            "create" | "tag" | "load" | "import" | "pull" => return true,
            _ => {}
        }
        false
    }

    fn see(&mut self, uid: &str, seen: &Seen<'_>, seq: u64) {
        if seen.uid() == uid {
            self.deleted |= seen.is_gone();
        } else if self.deleted
            && !seen.is_gone()
            && (seen.resource, seen.name()) == (&self.resource, &self.name)
        {
            self.back = self.back.or(Some(seq));
        }
    }

    fn judge(&self, uid: &str, view: &View, seq: u64, finding: &mut Finding) {
        let key = &self.key;
        let in_engine = view.expected().contains_key(key);
        let mirrors = view.mirrors();
        let mirror = mirrors.iter().find(|mirror| mirror.uid == uid);
        let may_be_in_use = matches!(key, MirrorKey::Image { .. } | MirrorKey::Volume(_));
        let mut lost = |seq, how: &str| {
            let text = format!("{key}: a user deleted its mirror, {how}");
            finding.violated(OracleName::NoLostUpdate, seq, text);
        };
        match (mirror, self.back) {
            (None, back) if self.deleted && in_engine && !self.let_go => {
                let how = "which went without the engine's object";
                lost(back.unwrap_or(seq), how);
            }
            (None, Some(back)) if self.let_go && !in_engine => {
                lost(back, "which came back although the engine's object is gone");
            }
            (Some(mirror), _)
                if mirror.terminating
                    && !mirror.kept
                    && may_be_in_use
                    && in_engine
                    && !self.asked
                    && view.in_flight().is_empty() =>
            {
                lost(seq, "and the engine was never asked to remove it");
            }
            _ => {}
        }
    }
}
