//! As long as an object exists in the engine, it keeps its mirror, and the mirror keeps its UID
//! (contract 4.5: a lost stream leaves mirrors alone).
//!
//! This oracle judges the time from each checkpoint to the next, if the App wants the engine to run all
//! the time. If the engine holds an object at both checkpoints and reports no removal between them, the
//! object's mirror must neither be deleted nor change its UID.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::check::Check;
use crate::mirror::{Mirror, MirrorKey, expected};
use crate::record::{Change, Record, Stage, What};
use crate::view::View;

/// What happened since a checkpoint.
#[derive(Default)]
struct Span {
    /// UIDs of the mirrors at the checkpoint.
    uids: BTreeMap<MirrorKey, String>,
    /// IDs of objects whose removal the engine reported.
    removed_in_engine: BTreeSet<String>,
    /// Mirrors whose objects were missing in a state of the engine.
    gone_from_engine: BTreeSet<MirrorKey>,
    /// The record in which a watch reported the deletion of a mirror.
    deleted_at: BTreeMap<MirrorKey, u64>,
}

/// Judges the spans between checkpoints.
#[must_use]
pub fn identity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut span: Option<Span> = None;
    for record in history {
        view.apply(record);
        // A stop or a switch of engines removes all mirrors, and so does a VM that does not run (contract
        // 4.6.7, 4.6.8): nothing is judged across it.
        // The watch may miss a time without a VM, such as one in which the daemon itself does not run.
        if view.wants_no_mirrors() || view.is_vm_down() || record.what.ends_vm() {
            span = None;
        }
        match &record.what {
            What::Engine(event) if is_removal(&event.action) => {
                if let Some(span) = &mut span {
                    span.removed_in_engine.insert(event.id.clone());
                }
            }
            What::Truth(state) => {
                if let Some(span) = &mut span {
                    let there = expected(state);
                    let gone = span.uids.keys().filter(|key| !there.contains_key(*key)).cloned();
                    span.gone_from_engine.extend(gone);
                }
            }
            What::Api(change) if change.change == Change::Deleted => {
                if let (Some(span), Some(mirror)) =
                    (&mut span, Mirror::read(&change.resource, &change.object))
                {
                    span.deleted_at.entry(mirror.key).or_insert(record.seq);
                }
            }
            What::Checkpoint { stage: Stage::Probed, .. } => {
                if let Some(span) = span.take() {
                    span.judge(&view, record.seq, &mut finding);
                }
                span = Some(Span { uids: uids(&view), ..Span::default() });
            }
            _ => {}
        }
    }
    finding
}

/// Whether an action removes the object that its event names. An untag does not: its event does not say
/// which tag was removed. The engine's state shows that.
fn is_removal(action: &str) -> bool {
    matches!(action, "destroy" | "delete")
}

/// UIDs of the mirrors whose objects exist in the engine. Nobody can call off a deletion that has begun: such a
/// mirror goes, even if an object of its name is there again.
fn uids(view: &View) -> BTreeMap<MirrorKey, String> {
    let expected = view.expected();
    view.mirrors()
        .into_iter()
        .filter(|mirror| expected.contains_key(&mirror.key) && !mirror.terminating)
        .map(|mirror| (mirror.key, mirror.uid))
        .collect()
}

impl Span {
    fn judge(&self, view: &View, seq: u64, finding: &mut Finding) {
        let now = uids(view);
        let expected = view.expected();
        for (key, before) in &self.uids {
            // If the engine removed the object, a new mirror is correct, even if the object is back.
            if !expected.contains_key(key) || self.was_removed(key) {
                continue;
            }
            if let Some(at) = self.deleted_at.get(key) {
                finding.violated(
                    Check::MirrorDeleted,
                    *at,
                    format!(
                        "{key}: existed in the engine all the time, but its mirror was deleted"
                    ),
                );
            } else if let Some(after) = now.get(key).filter(|after| *after != before) {
                // The watch missed the deletion, so only the new UID shows it.
                finding.violated(
                    Check::UidChanged,
                    seq,
                    format!(
                        "{key}: existed in the engine all the time, but the UID of its mirror \
                         changed from {before} to {after}"
                    ),
                );
            }
        }
    }

    fn was_removed(&self, key: &MirrorKey) -> bool {
        // A mirror without a status does not say which object it stands for, so it is not judged.
        let Some(id) = key.engine_id() else { return true };
        self.removed_in_engine.contains(id) || self.gone_from_engine.contains(key)
    }
}
