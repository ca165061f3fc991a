//! An object that a user created, and that is no mirror, is not deleted by the daemon (finding
//! 295-D1).
//!
//! The contract has two sides: a full sync prunes an object without a counterpart in the engine
//! (4.3), and the sweep of a stop takes every object of the namespace, also those that are not the
//! daemon's (4.6). The first is a promise that a user can know; the second is the finding, open in
//! the newest revision. So a deletion is right where a list of that kind was asked for since the
//! object was created, which is how a sync begins; or where the user asked for it; or where the
//! engine removed the container that it names. Any other is a violation, in particular the sweep's.
//!
//! An object is no mirror where no state of it ever said what it stands for, or had the daemon's
//! finalizer.

use std::collections::{BTreeMap, BTreeSet};

use crate::mirror::Mirror;
use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{Record, What, WireMessage, WireWhat};
use crate::scenario::OracleName;

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut written: BTreeMap<&str, u64> = BTreeMap::new();
    let mut excused: BTreeSet<&str> = BTreeSet::new();
    let mut mirrors: BTreeSet<&str> = BTreeSet::new();
    let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut gone: Vec<(u64, Seen<'_>)> = Vec::new();
    for record in history {
        match &record.what {
            What::UserWrite(write) => {
                written.entry(&write.uid).or_insert(record.seq);
                if write.deleted {
                    excused.insert(&write.uid);
                }
            }
            What::Engine(event) if event.action == "destroy" => {
                excused.insert(&event.id);
            }
            What::Wire(WireMessage { event: WireWhat::Request { route, .. }, .. }) => {
                if let Some(resource) = route.as_deref().and_then(lists) {
                    listed.insert(resource, record.seq);
                }
            }
            what => {
                for seen in Seen::all(what) {
                    match Mirror::read(seen.resource, seen.object) {
                        Some(mirror) if !mirror.is_foreign() => {
                            mirrors.insert(seen.uid());
                        }
                        Some(_) if seen.is_gone() => {
                            let pruned = listed.get(seen.resource) > written.get(seen.uid());
                            if !pruned {
                                gone.push((record.seq, seen));
                            }
                        }
                        Some(_) | None => {}
                    }
                }
            }
        }
    }
    for (seq, seen) in gone {
        let is_users = written.contains_key(seen.uid()) && !mirrors.contains(seen.uid());
        let is_right = excused.contains(seen.uid()) || excused.contains(seen.name());
        if is_users && !is_right {
            let (resource, name) = (seen.resource, seen.name());
            let text = format!(
                "{resource} {name}: a user created it, it is no mirror, and it was deleted"
            );
            finding.violated(OracleName::NoLostUpdate, seq, text);
        }
    }
    finding
}

/// The kind of which this request lists the engine's objects.
fn lists(route: &str) -> Option<&'static str> {
    Some(match route {
        "/containers/json" => "containers",
        "/images/json" => "images",
        "/volumes" => "volumes",
        _ => return None,
    })
}
