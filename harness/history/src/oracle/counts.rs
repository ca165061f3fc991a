//! An object of the engine has its mirror created once, and deleted once (contract 4.2: events are
//! handled in order, and each reads the current state; 4.5: a lost stream leaves mirrors alone).
//!
//! Of objects that lived from one checkpoint to the next, [`identity`](super::identity) judges.
//! Here the others are judged, which came or went in between: a mirror that was created, deleted
//! and created anew in one life of its object, or after the container was gone, whether or not it
//! has gone again by the checkpoint.
//!
//! A life ends with a removal in the engine, but for containers, whose IDs never come again: a
//! second mirror of a removed container is its ghost. Volumes and images come again under the same
//! name, and events of earlier lives are replayed after a sync (contract 4.1, step 3), so that they
//! are not judged once they were removed. Nothing is judged from a stop, a switch, a restart of the
//! daemon or of its VM, or a fault on the wire on, until the next checkpoint has passed: a sweep and
//! its aftermath may be seen later than the App's change (contract 4.6). What a user deleted is
//! judged by [`no_lost_update`](super::no_lost_update).

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::seen::Seen;
use crate::mirror::{Mirror, MirrorKey, expected};
use crate::record::{Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::OracleName;
use crate::view::View;

/// What is known of the mirrors of one object.
#[derive(Default)]
struct Life {
    /// UID of a mirror that was deleted.
    deleted: Option<String>,
    /// Record at which another one was seen after that.
    again: Option<u64>,
}

#[derive(Default)]
struct Counting {
    lives: BTreeMap<MirrorKey, Life>,
    keys: BTreeMap<String, MirrorKey>,
    /// Objects that are not to be judged any more: removed in the engine, or by a user.
    over: BTreeSet<String>,
    /// What the engine held at the last checkpoint.
    held: BTreeSet<MirrorKey>,
    /// Something happened that takes mirrors rightly, and no checkpoint has passed since.
    off: bool,
}

/// Judges the mirrors of objects that came or went between two checkpoints.
#[must_use]
pub fn counts(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut counting = Counting::default();
    for record in history {
        view.apply(record);
        if takes_mirrors(&view, &record.what) {
            counting.stop();
        }
        match &record.what {
            What::Engine(event) if matches!(&*event.action, "destroy" | "delete" | "untag") => {
                if event.object != "container" {
                    counting.over.insert(event.id.clone());
                }
            }
            What::Truth(state) => {
                let there = expected(state);
                let lost = counting.lives.keys().filter(|key| !there.contains_key(*key));
                let lost: Vec<_> = lost.filter_map(of_several_lives).map(str::to_owned).collect();
                counting.over.extend(lost);
            }
            What::UserWrite(write) if write.deleted => {
                let key = counting.keys.get(&write.uid).and_then(MirrorKey::engine_id);
                counting.over.extend(key.map(str::to_owned));
            }
            What::Checkpoint { stage: Stage::Probed, .. } => {
                let held = view.expected().into_keys().collect();
                counting.judge(held, &mut finding);
            }
            What::Ending | What::Ended => counting.judge(BTreeSet::new(), &mut finding),
            what => Seen::all(what).iter().for_each(|seen| counting.see(seen, record.seq)),
        }
    }
    finding
}

/// Mirrors may be taken and made anew from here on, and not for the engine's sake.
fn takes_mirrors(view: &View, what: &What) -> bool {
    let vm_is_down = |app: &crate::view::AppView| {
        app.condition("Running").is_some_and(|(status, _)| status != "True")
    };
    match what {
        What::Process { name, .. } => matches!(name.as_str(), "daemon" | "engine"),
        What::Wire(WireMessage { event: WireWhat::Faulted { .. }, .. }) => true,
        What::Api(_) | What::Listed { .. } => {
            view.app().is_some_and(|app| !app.wants_mirrors() || vm_is_down(&app))
        }
        _ => false,
    }
}

impl Counting {
    fn stop(&mut self) {
        self.off |= !self.keys.is_empty();
        self.lives.clear();
    }

    fn see(&mut self, seen: &Seen<'_>, seq: u64) {
        let Some(mirror) = Mirror::read(seen.resource, seen.object) else { return };
        if mirror.is_foreign() || mirror.is_probe() {
            return;
        }
        let uid = seen.uid().to_owned();
        let key = match (mirror.key, self.keys.get(&uid)) {
            (MirrorKey::Blank { .. }, Some(known)) => known.clone(),
            // A container's mirror has the container's ID for its name (contract 3.6).
            (MirrorKey::Blank { resource, name }, None) if resource == "containers" => {
                MirrorKey::Container(name)
            }
            (MirrorKey::Blank { .. }, None) => return,
            (key, _) => key,
        };
        let is_known = self.keys.insert(uid.clone(), key.clone()).is_some();
        if self.off {
            return;
        }
        let life = self.lives.entry(key).or_default();
        if seen.is_gone() {
            life.deleted = life.deleted.take().or(Some(uid));
        } else if !is_known && life.deleted.as_ref().is_some_and(|deleted| *deleted != uid) {
            life.again = life.again.or(Some(seq));
        }
    }

    /// Judges what happened since the last checkpoint; `held` is what the engine holds now.
    fn judge(&mut self, held: BTreeSet<MirrorKey>, finding: &mut Finding) {
        for (key, life) in std::mem::take(&mut self.lives) {
            let Some(seq) = life.again else {
                // A container that is gone may have a ghost later.
                if matches!(key, MirrorKey::Container(_)) && !held.contains(&key) {
                    self.lives.insert(key, life);
                }
                continue;
            };
            let lived_throughout = self.held.contains(&key) && held.contains(&key);
            let is_over = key.engine_id().is_none_or(|id| self.over.contains(id));
            if !lived_throughout && !is_over {
                let text = format!("{key}: its mirror was deleted, and created anew");
                finding.violated(OracleName::Counts, seq, text);
            }
        }
        self.held = held;
        self.off = false;
    }
}

/// The object's identity, where the engine may have another one under it later.
fn of_several_lives(key: &MirrorKey) -> Option<&str> {
    key.engine_id().filter(|_| !matches!(key, MirrorKey::Container(_)))
}
