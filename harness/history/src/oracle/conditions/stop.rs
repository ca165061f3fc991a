//! The App's conditions tell the truth about a stop.
//!
//! - If the App wants to be stopped and `Settled` is `True`, no mirror is left (contract 3.7, rule 6;
//!   4.6; findings 350-I1b, 350-base). The same holds if the App wants another engine than moby and the
//!   daemon runs the VM itself: only then does the template keep `Settled` from becoming `True` until
//!   the VM has restarted (contract 3.7, rule 1; 7.6, method B). No mirror comes back before the App's
//!   desired state changes again, because the daemon waits for its watcher to end (contract 4.6;
//!   finding 295-T10).
//! - If the App wants to be stopped and somebody else's finalizer keeps mirrors, the daemon does not
//!   report for ever that its engine is connected: `Connected` means that the watcher is alive
//!   (contract 3.7), and the daemon waits for mirrors only for a limited time (4.6; finding 350-I1a).
//!
//! Watches of different kinds are not ordered among each other, but the API server gives resource
//! versions of one sequence to all kinds. So this oracle compares versions: that of the App with
//! `Settled=True`, with that of each mirror's deletion or of a list that still shows the mirror.

use std::collections::BTreeMap;

use super::app::{READY, SETTLED, runs_engine, shows_app};
use crate::check::Check;
use crate::mirror::{Mirror, MirrorKey};
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{Change, Record, Stage, What};
use crate::scenario::VmMode;
use crate::view::{AppView, View, object_version};

/// How long the engine of a stopped App may be `Connected` while mirrors are kept, in microseconds: the
/// sweep's limit of 30 s (contract 4.6), and 10 s more for a loaded machine.
const SWEEP_LIMIT_US: u64 = 40_000_000;

/// When one mirror existed, in resource versions.
struct MirrorLifetime {
    key: String,
    /// The lowest version at which the mirror was seen.
    first: u64,
    /// The record in which a watch reported the creation. If it is known, `first` is the version of the
    /// creation; if not, the mirror may be older.
    added: Option<u64>,
    deleted: Option<u64>,
    /// Version of the last list that shows the mirror; 0 if none does.
    listed: u64,
}

/// An App with `Settled=True` whose desired state allows no mirrors.
struct SettledApp {
    seq: u64,
    version: u64,
    /// Version of the first App of a later generation.
    until: Option<u64>,
    /// The first record after which a later generation may have been missed.
    blind: Option<u64>,
    text: String,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    if runs_engine(history) {
        finding = settled_without_mirrors(history);
    }
    finding.violations.extend(connected_after_stop(history).violations);
    finding
}

/// Judges whether mirrors were left when the App became settled, or came back afterwards.
fn settled_without_mirrors(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let lifetimes = mirror_lifetimes(history);
    for SettledApp { seq, version, until, blind, text } in settled_apps(history).into_values() {
        // The mirror is left if it was deleted later, or if a list at least as new still shows it. A
        // mirror whose deletion was not seen, and that no such list shows, proves nothing.
        let is_left = |mirror: &MirrorLifetime| {
            mirror.first <= version
                && mirror.deleted.map_or(mirror.listed >= version, |deleted| deleted > version)
        };
        // It came back if it was created while the App still wanted to be stopped. That is certain only
        // if a watch reported the creation, and no later generation of the App can have been missed.
        let came_back = |mirror: &MirrorLifetime| {
            let before = until.is_none_or(|until| mirror.first < until);
            let seen = mirror.added.is_some_and(|added| blind.is_none_or(|blind| added < blind));
            seen && before && mirror.first > version
        };
        let faults = [
            (Check::MirrorsLeft, "still existed", &is_left as &dyn Fn(&MirrorLifetime) -> bool),
            (Check::MirrorsCameBack, "were created later", &came_back),
        ];
        for (check, fault, applies) in faults {
            let found: Vec<_> = lifetimes.values().filter(|mirror| applies(mirror)).collect();
            if let Some(first) = found.first() {
                let (count, key) = (found.len(), &first.key);
                let text = format!("{text}; but {count} mirrors {fault}: {key}");
                finding.violated(check, seq, text);
            }
        }
    }
    finding
}

/// The first App of each generation with `Settled=True` and no desired mirrors.
fn settled_apps(history: &[Record]) -> BTreeMap<i64, SettledApp> {
    let mut settled: BTreeMap<i64, SettledApp> = BTreeMap::new();
    let mut harness_runs_vm = false;
    for record in history {
        // After these records, the App may have changed without a record of it.
        let is_blind = match &record.what {
            What::Run(header) => {
                harness_runs_vm = header.vm == VmMode::Api;
                false
            }
            What::WatchLost { resource, .. } => resource == "apps",
            What::Process { name, .. } => name == "daemon",
            _ => false,
        };
        if is_blind {
            let open = settled.values_mut().filter(|app| app.until.is_none());
            open.for_each(|app| app.blind = app.blind.or(Some(record.seq)));
        }
        for seen in ObservedObject::in_record(&record.what)
            .into_iter()
            .filter(|seen| seen.resource == "apps")
        {
            let app = AppView::read(seen.object);
            let wants_none = !app.wants_running || (app.engine != "moby" && !harness_runs_vm);
            let Some(version) = seen.version() else { continue };
            // This App ends the time in which an earlier generation allowed no mirrors.
            if let Some((_, earlier)) = settled.range_mut(..app.generation).next_back() {
                earlier.until = earlier.until.or(Some(version));
            }
            let earlier = settled.get(&app.generation).is_none_or(|known| version < known.version);
            if app.holds(SETTLED, "True") && wants_none && earlier {
                let text = app.describe(SETTLED);
                let seq = record.seq;
                let first = SettledApp { seq, version, until: None, blind: None, text };
                settled.insert(app.generation, first);
            }
        }
    }
    settled
}

/// Every mirror that the history shows, by UID.
fn mirror_lifetimes(history: &[Record]) -> BTreeMap<&str, MirrorLifetime> {
    let mut lifetimes: BTreeMap<&str, MirrorLifetime> = BTreeMap::new();
    for record in history {
        for seen in ObservedObject::in_record(&record.what) {
            let Some(mirror) = Mirror::read(seen.resource, seen.object) else { continue };
            let Some(version) = object_version(seen.object) else { continue };
            if mirror.is_foreign() {
                continue;
            }
            let life = lifetimes.entry(seen.uid()).or_insert_with(|| MirrorLifetime {
                key: mirror.key.to_string(),
                first: version,
                added: None,
                deleted: None,
                listed: 0,
            });
            life.first = life.first.min(version);
            // A new mirror has no status yet, and so no key of an engine object (contract 3.6).
            if !matches!(mirror.key, MirrorKey::Blank { .. }) {
                life.key = mirror.key.to_string();
            }
            if seen.change == Some(Change::Added) {
                life.added = life.added.or(Some(record.seq));
            }
            if seen.is_deleted() {
                life.deleted = Some(version);
            }
            if let What::Listed { version, .. } = record.what {
                life.listed = life.listed.max(version);
            }
        }
    }
    lifetimes
}

/// Judges whether a stopped App stays `Connected` longer than the sweep may wait for kept mirrors.
fn connected_after_stop(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut view = View::default();
    let mut stopped_at = None;
    for record in history {
        view.apply(record);
        if shows_app(&record.what) {
            let runs = |app: &AppView| {
                app.condition("Running").is_some_and(|(status, _)| status == "True")
            };
            let stopped = view.app().is_some_and(|app| !app.wants_running && !runs(&app));
            // The time counts from the first record that shows the App stopped.
            stopped_at = stopped.then(|| stopped_at.unwrap_or(record.at_us));
        }
        let What::Checkpoint { number, stage: Stage::Probed } = record.what else { continue };
        let late = stopped_at.is_some_and(|at| record.at_us - at > SWEEP_LIMIT_US);
        let Some(app) = view.app().filter(|_| late) else { continue };
        let kept = view.mirrors().into_iter().find(|mirror| mirror.kept);
        if let Some(kept) = kept.filter(|_| app.condition(READY) == Some(("True", "Connected"))) {
            let ready = app.describe(READY);
            let text = format!(
                "checkpoint {number}: the App is stopped and {} is kept; but {ready}",
                kept.key
            );
            finding.violated(Check::ConnectedAfterStop, record.seq, text);
        }
    }
    finding
}
