//! The daemon creates the mirror of an engine object once and deletes it once (contract 4.1: a full sync
//! keeps what it has just written; 4.2: the daemon handles events in order, and reads the current state
//! for each; 4.5: a lost stream leaves mirrors alone).
//!
//! [`identity`](super::identity) judges objects that exist from one checkpoint to the next. This oracle
//! judges those that were created or removed between two checkpoints. It reports a mirror that was
//! created, deleted and created again while its object existed, or after its container was removed,
//! even if the mirror is gone again at the checkpoint.
//!
//! Not judged:
//! - volumes and images, once they were removed. Their names can be used again, and after a sync the
//!   engine replays events of earlier objects (contract 4.1, step 3). A container's ID is never used
//!   again, so a second mirror of a removed container is always wrong;
//! - anything between an event that removes mirrors for another reason and the next checkpoint: a stop, a
//!   switch of engines, a restart of the daemon or its VM, a fault on the wire. The watch may report the
//!   effects of a sweep later than the App's change (contract 4.6);
//! - what a user deleted: [`no_lost_update`](super::no_lost_update) judges it.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::observed::ObservedObject;
use super::users::UserDeletions;
use crate::check::Check;
use crate::mirror::{Mirror, MirrorKey, expected};
use crate::record::{Record, Stage, What, WireMessage, WireWhat};
use crate::view::View;

/// What is known of the mirrors of one object.
#[derive(Default)]
struct Mirrors {
    /// UID of the first mirror that was deleted.
    deleted_uid: Option<String>,
    /// The record that shows the next mirror after that.
    created_again_at: Option<u64>,
}

/// The mirrors since the last checkpoint.
#[derive(Default)]
struct MirrorCounts {
    mirrors: BTreeMap<MirrorKey, Mirrors>,
    /// The key of each mirror, by the mirror's UID.
    keys: BTreeMap<String, MirrorKey>,
    /// IDs of objects that are not judged any more, because the engine or a user removed them.
    excluded: BTreeSet<String>,
    /// What the engine held at the last checkpoint.
    held: BTreeSet<MirrorKey>,
    /// Something removed mirrors for another reason, and no checkpoint has passed since.
    suspended: bool,
}

/// Judges the mirrors of objects that were created or removed between two checkpoints.
#[must_use]
pub fn counts(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut counts = MirrorCounts::default();
    let deletions = UserDeletions::from_history(history);
    for record in history {
        view.apply(record);
        if may_replace_mirrors(&view, &record.what) {
            counts.suspend();
        }
        for deletion in deletions.at(record.seq) {
            let key = counts.keys.get(deletion.uid).and_then(MirrorKey::engine_id);
            counts.excluded.extend(key.map(str::to_owned));
        }
        match &record.what {
            What::Engine(event) if matches!(&*event.action, "destroy" | "delete" | "untag") => {
                if event.object != "container" {
                    counts.excluded.insert(event.id.clone());
                }
            }
            // An untag does not say which tag is gone, so the engine's state is compared as well.
            What::Truth(state) => {
                let present = expected(state);
                let absent = counts.mirrors.keys().filter(|key| !present.contains_key(*key));
                let absent: Vec<_> = absent.filter_map(reusable_id).map(str::to_owned).collect();
                counts.excluded.extend(absent);
            }
            What::Checkpoint { stage: Stage::Probed, .. } => {
                let held = view.expected().into_keys().collect();
                counts.judge(held, &mut finding);
            }
            What::Ending | What::Ended => counts.judge(BTreeSet::new(), &mut finding),
            what => ObservedObject::in_record(what)
                .iter()
                .for_each(|seen| counts.apply(seen, record.seq)),
        }
    }
    finding
}

/// Whether the daemon may remove and create mirrors from here on without a change in the engine.
fn may_replace_mirrors(view: &View, what: &What) -> bool {
    let vm_is_down = |app: &crate::view::AppView| {
        app.condition("Running").is_some_and(|(status, _)| status != "True")
    };
    match what {
        What::Process { name, .. } => matches!(name.as_str(), "daemon" | "engine"),
        What::Wire(WireMessage { event: WireWhat::Faulted { .. }, .. }) => true,
        What::Api(_) | What::Listed { .. } => {
            // An App that was deleted takes the mirrors with it.
            view.app().is_none_or(|app| !app.wants_mirrors() || vm_is_down(&app))
        }
        _ => false,
    }
}

impl MirrorCounts {
    /// Judges nothing until the next checkpoint.
    fn suspend(&mut self) {
        // Without any mirror there is nothing that could be replaced, as when the daemon first starts.
        self.suspended |= !self.keys.is_empty();
        self.mirrors.clear();
    }

    fn apply(&mut self, seen: &ObservedObject<'_>, seq: u64) {
        let Some(mirror) = Mirror::read(seen.resource, seen.object) else { return };
        if mirror.is_foreign() || mirror.is_probe() {
            return;
        }
        let uid = seen.uid().to_owned();
        // A mirror without a status does not say which object it stands for. Its UID says so if the
        // mirror had a status before.
        let key = match (mirror.key, self.keys.get(&uid)) {
            (MirrorKey::Blank { .. }, Some(known)) => known.clone(),
            // The name of a container's mirror is the container's ID (contract 3.6).
            (MirrorKey::Blank { resource, name }, None) if resource == "containers" => {
                MirrorKey::Container(name)
            }
            (MirrorKey::Blank { .. }, None) => return,
            (key, _) => key,
        };
        let is_known = self.keys.insert(uid.clone(), key.clone()).is_some();
        if self.suspended {
            return;
        }
        let mirrors = self.mirrors.entry(key).or_default();
        if seen.is_deleted() {
            mirrors.deleted_uid = mirrors.deleted_uid.take().or(Some(uid));
        } else if !is_known && mirrors.deleted_uid.as_ref().is_some_and(|deleted| *deleted != uid) {
            // An unknown UID: a watch that lags behind would report the old mirror under its old UID.
            mirrors.created_again_at = mirrors.created_again_at.or(Some(seq));
        }
    }

    /// Judges what happened since the last checkpoint; `held` is what the engine holds now.
    fn judge(&mut self, held: BTreeSet<MirrorKey>, finding: &mut Finding) {
        for (key, mirrors) in std::mem::take(&mut self.mirrors) {
            let Some(seq) = mirrors.created_again_at else {
                // The mirror of a removed container may still come back after this checkpoint.
                if matches!(key, MirrorKey::Container(_)) && !held.contains(&key) {
                    self.mirrors.insert(key, mirrors);
                }
                continue;
            };
            // `identity` reports objects that exist at both checkpoints.
            let existed_throughout = self.held.contains(&key) && held.contains(&key);
            let is_excluded = key.engine_id().is_none_or(|id| self.excluded.contains(id));
            if !existed_throughout && !is_excluded {
                let text = format!("{key}: its mirror was deleted and created again");
                finding.violated(Check::CreatedAgain, seq, text);
            }
        }
        self.held = held;
        self.suspended = false;
    }
}

/// The object's ID, if the engine may give it to another object later.
fn reusable_id(key: &MirrorKey) -> Option<&str> {
    key.engine_id().filter(|_| !matches!(key, MirrorKey::Container(_)))
}
