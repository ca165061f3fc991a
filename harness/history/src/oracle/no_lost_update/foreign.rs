//! The daemon does not delete an object that a user created and that is not a mirror (finding 295-D1).
//!
//! The contract describes two deletions: a full sync removes an object without a counterpart in the
//! engine (4.3), and the sweep of a stop removes every object of the namespace, including those of users
//! (4.6). Users can expect the first. The second is the finding, which the newest revision still has. So
//! the daemon may delete such an object only:
//! - after it has requested a list of that kind since the object was created, because a sync begins so;
//! - if a user deleted the object;
//! - if the engine removed the container that the object names.
//!
//! Any other deletion is a violation, in particular one by a sweep.
//!
//! An object is a mirror if any state of it names an engine object or has the daemon's finalizer.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::mirror::Mirror;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::oracle::users::UserDeletions;
use crate::record::{Record, What, WireMessage, WireWhat};

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    // The first record of a user's write to each object, by UID.
    let mut written: BTreeMap<&str, u64> = BTreeMap::new();
    // UIDs of objects that a user deleted, and IDs of containers that the engine removed.
    let mut may_be_deleted: BTreeSet<&str> = BTreeSet::new();
    let mut mirrors: BTreeSet<&str> = BTreeSet::new();
    let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut gone: Vec<(u64, ObservedObject<'_>)> = Vec::new();
    let deletions = UserDeletions::from_history(history);
    for record in history {
        may_be_deleted.extend(deletions.at(record.seq).iter().map(|deletion| deletion.uid));
        match &record.what {
            What::UserWrite(write) => {
                written.entry(&write.uid).or_insert(record.seq);
            }
            What::Engine(event) if event.action == "destroy" => {
                may_be_deleted.insert(&event.id);
            }
            What::Wire(WireMessage { event: WireWhat::Request { route, .. }, .. }) => {
                if let Some(resource) = route.as_deref().and_then(listed_kind) {
                    listed.insert(resource, record.seq);
                }
            }
            what => {
                for seen in ObservedObject::in_record(what) {
                    match Mirror::read(seen.resource, seen.object) {
                        Some(mirror) if !mirror.is_foreign() => {
                            mirrors.insert(seen.uid());
                        }
                        Some(_) if seen.is_deleted() => {
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
    // Judged at the end only: a record of the user's write or of the engine's event may follow the
    // deletion that it explains.
    for (seq, seen) in gone {
        let is_users = written.contains_key(seen.uid()) && !mirrors.contains(seen.uid());
        let is_allowed = [seen.uid(), seen.name()].iter().any(|it| may_be_deleted.contains(it));
        if is_users && !is_allowed {
            let (resource, name) = (seen.resource, seen.name());
            let text = format!(
                "{resource} {name}: the daemon deleted an object that a user created and that is not \
                 a mirror"
            );
            finding.violated(Check::ForeignDeleted, seq, text);
        }
    }
    finding
}

/// The kind whose objects a request to this route lists, if it is a list.
fn listed_kind(route: &str) -> Option<&'static str> {
    Some(match route {
        "/containers/json" => "containers",
        "/images/json" => "images",
        "/volumes" => "volumes",
        _ => return None,
    })
}
