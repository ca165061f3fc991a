//! What is said of a stop is so.
//!
//! - `Settled=True` of an App that wants to be stopped implies that every mirror is gone (contract
//!   3.7, rule 6; 4.6; findings 350-I1b, 350-base). So it does of one that wants another engine than
//!   moby, where the daemon runs the VM itself: only then does the template hold `Settled` back
//!   until the VM has restarted (contract 3.7, rule 1; 7.6, method B). And none comes back before
//!   the App wants something else (contract 4.6: the watcher was awaited; finding 295-T10).
//! - An App that wants to be stopped, and whose mirrors somebody else's finalizer keeps, does not
//!   say for ever that its engine is connected (contract 3.7: `Connected` means that the watcher is
//!   alive; 4.6: the wait has a bound; finding 350-I1a).
//!
//! Watches of different kinds are not ordered among each other. What is compared are resource
//! versions, of which a server has one sequence for all: that of the App that says `Settled`, and
//! that of each mirror's deletion, or of a list that shows the mirror still there.

use std::collections::BTreeMap;

use super::app::{READY, SETTLED, runs_engine, shows_app};
use crate::mirror::{Mirror, MirrorKey};
use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{Change, Record, Stage, What};
use crate::scenario::{OracleName, VmMode};
use crate::view::{AppView, View, object_version};

/// How long a stopped App may call its engine connected while mirrors are kept, in microseconds:
/// the sweep's bound of 30 s (contract 4.6), and 10 s for a loaded machine.
const SWEEP_LIMIT_US: u64 = 40_000_000;

/// One mirror's life, in resource versions.
struct Life {
    key: String,
    first: u64,
    /// Record by which a watch told of its creation, so that `first` is the version of that.
    added: Option<u64>,
    deleted: Option<u64>,
    listed: u64,
}

/// An App that says that it has settled without mirrors.
struct Settled {
    seq: u64,
    version: u64,
    /// Version of the first App of a later generation.
    until: Option<u64>,
    /// Record from which on a later generation may have been missed.
    blind: Option<u64>,
    text: String,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    if runs_engine(history) {
        finding = settled_without_mirrors(history);
    }
    finding.violations.extend(connected_for_ever(history).violations);
    finding
}

fn settled_without_mirrors(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let lives = lives(history);
    for Settled { seq, version, until, blind, text } in settled(history).into_values() {
        let left = |life: &Life| {
            life.first <= version
                && life.deleted.map_or(life.listed >= version, |deleted| deleted > version)
        };
        let came = |life: &Life| {
            let before = until.is_none_or(|until| life.first < until);
            let seen = life.added.is_some_and(|added| blind.is_none_or(|blind| added < blind));
            seen && before && life.first > version
        };
        for (what, is) in [("were there", &left as &dyn Fn(&Life) -> bool), ("came later", &came)] {
            let found: Vec<_> = lives.values().filter(|life| is(life)).collect();
            if let Some(one) = found.first() {
                let (count, key) = (found.len(), &one.key);
                let text = format!("{text}; yet {count} mirrors {what}: {key}");
                finding.violated(OracleName::TruthfulConditions, seq, text);
            }
        }
    }
    finding
}

/// The first App that says so, of each generation.
fn settled(history: &[Record]) -> BTreeMap<i64, Settled> {
    let mut settled: BTreeMap<i64, Settled> = BTreeMap::new();
    let mut plays_vm = false;
    for record in history {
        let is_blind = match &record.what {
            What::Run(header) => {
                plays_vm = header.vm == VmMode::Api;
                false
            }
            What::WatchLost { resource, .. } => resource == "apps",
            What::Process { name, .. } => name == "daemon",
            _ => false,
        };
        if is_blind {
            let open = settled.values_mut().filter(|one| one.until.is_none());
            open.for_each(|one| one.blind = one.blind.or(Some(record.seq)));
        }
        for seen in Seen::all(&record.what).into_iter().filter(|seen| seen.resource == "apps") {
            let app = AppView::read(seen.object);
            let wants_none = !app.wants_running || (app.engine != "moby" && !plays_vm);
            let Some(version) = seen.version() else { continue };
            if let Some((_, earlier)) = settled.range_mut(..app.generation).next_back() {
                earlier.until = earlier.until.or(Some(version));
            }
            let earlier = settled.get(&app.generation).is_none_or(|known| version < known.version);
            if app.holds(SETTLED, "True") && wants_none && earlier {
                let text = app.describe(SETTLED);
                let seq = record.seq;
                let of_now = Settled { seq, version, until: None, blind: None, text };
                settled.insert(app.generation, of_now);
            }
        }
    }
    settled
}

/// Every mirror that was ever seen, by UID.
fn lives(history: &[Record]) -> BTreeMap<&str, Life> {
    let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
    for record in history {
        for seen in Seen::all(&record.what) {
            let Some(mirror) = Mirror::read(seen.resource, seen.object) else { continue };
            let Some(version) = object_version(seen.object) else { continue };
            if mirror.is_foreign() {
                continue;
            }
            let life = lives.entry(seen.uid()).or_insert_with(|| Life {
                key: mirror.key.to_string(),
                first: version,
                added: None,
                deleted: None,
                listed: 0,
            });
            life.first = life.first.min(version);
            // It has its status only after it was created (contract 3.6).
            if !matches!(mirror.key, MirrorKey::Blank { .. }) {
                life.key = mirror.key.to_string();
            }
            if seen.change == Some(Change::Added) {
                life.added = life.added.or(Some(record.seq));
            }
            if seen.is_gone() {
                life.deleted = Some(version);
            }
            if let What::Listed { version, .. } = record.what {
                life.listed = life.listed.max(version);
            }
        }
    }
    lives
}

fn connected_for_ever(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut stopped_at = None;
    for record in history {
        view.apply(record);
        if shows_app(&record.what) {
            let runs = |app: &AppView| app.condition("Running").is_some_and(|(is, _)| is == "True");
            let stopped = view.app().is_some_and(|app| !app.wants_running && !runs(&app));
            stopped_at = stopped.then(|| stopped_at.unwrap_or(record.at_us));
        }
        let What::Checkpoint { number, stage: Stage::Probed } = record.what else { continue };
        let late = stopped_at.is_some_and(|at| record.at_us - at > SWEEP_LIMIT_US);
        let Some(app) = view.app().filter(|_| late) else { continue };
        let kept = view.mirrors().into_iter().find(|mirror| mirror.kept);
        if let Some(kept) = kept.filter(|_| app.condition(READY) == Some(("True", "Connected"))) {
            let ready = app.describe(READY);
            let text = format!(
                "checkpoint {number}: the App is stopped and {} is kept; yet {ready}",
                kept.key
            );
            finding.violated(OracleName::TruthfulConditions, record.seq, text);
        }
    }
    finding
}
