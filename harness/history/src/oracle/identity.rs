//! An object that lived throughout keeps its mirror and the mirror's UID (contract 4.5: a lost
//! stream leaves mirrors alone).
//!
//! Judged from each checkpoint to the next, over the time in which the App wanted the engine to
//! run: a mirror of an object that the engine held at both, and of which the engine reported no
//! removal in between, may neither be deleted nor change its UID.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::mirror::{Mirror, MirrorKey, expected};
use crate::record::{Change, Record, Stage, What};
use crate::scenario::OracleName;
use crate::view::View;

/// What is followed from one checkpoint on.
#[derive(Default)]
struct Span {
    uids: BTreeMap<MirrorKey, String>,
    removed_in_engine: BTreeSet<String>,
    gone_from_engine: BTreeSet<MirrorKey>,
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
        if view.wants_no_mirrors() {
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

/// An untag does not say which tag it took; that is seen in what the engine holds.
fn is_removal(action: &str) -> bool {
    matches!(action, "destroy" | "delete")
}

fn uids(view: &View) -> BTreeMap<MirrorKey, String> {
    let expected = view.expected();
    view.mirrors()
        .into_iter()
        .filter(|mirror| expected.contains_key(&mirror.key))
        .map(|mirror| (mirror.key, mirror.uid))
        .collect()
}

impl Span {
    fn judge(&self, view: &View, seq: u64, finding: &mut Finding) {
        let now = uids(view);
        let expected = view.expected();
        for (key, before) in &self.uids {
            if !expected.contains_key(key) || self.was_removed(key) {
                continue;
            }
            if let Some(at) = self.deleted_at.get(key) {
                finding.violated(
                    OracleName::Identity,
                    *at,
                    format!("{key}: lived throughout, but its mirror was deleted"),
                );
            } else if let Some(after) = now.get(key).filter(|after| *after != before) {
                finding.violated(
                    OracleName::Identity,
                    seq,
                    format!(
                        "{key}: lived throughout, but its mirror's UID {before} became {after}"
                    ),
                );
            }
        }
    }

    fn was_removed(&self, key: &MirrorKey) -> bool {
        // What a blank mirror stands for is not known.
        let Some(id) = key.engine_id() else { return true };
        self.removed_in_engine.contains(id) || self.gone_from_engine.contains(key)
    }
}
