//! The daemon removes nothing from the engine that no user has asked it to: its own removals answer
//! the deletion of a mirror (contract 4.3), and a stop or a sync deletes mirrors alone (4.6, 4.1).

use std::collections::BTreeSet;

use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{Record, What, WireMessage, WireWhat};
use crate::scenario::OracleName;

/// Kinds of object that the daemon can remove, by the first segment of their routes.
const KINDS: [&str; 3] = ["containers", "images", "volumes"];

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    for (index, record) in history.iter().enumerate() {
        let Some(target) = removal(&record.what) else { continue };
        if is_gone(&history[..index], &target) {
            continue;
        }
        // A user's wish is recorded when it was answered, and the daemon may be faster than that.
        let rest = &history[index..];
        let step = rest.iter().position(|record| matches!(record.what, What::StepDone { .. }));
        let known = &history[..step.map_or(history.len(), |ahead| index + ahead)];
        if !wished(known).iter().any(|name| target.contains(name.as_str())) {
            finding.violated(
                OracleName::NoLostUpdate,
                record.seq,
                format!("the daemon removed {target} from the engine, which no user asked it to"),
            );
        }
    }
    finding
}

/// Whether what the target names was gone already, so that nothing is taken away: the last that the engine
/// told of it is that it went.
fn is_gone(history: &[Record], target: &str) -> bool {
    let told = history.iter().rev().find_map(|record| match &record.what {
        What::Engine(event) if target.ends_with(&format!("/{}", event.id)) => Some(&event.action),
        _ => None,
    });
    told.is_some_and(|action| action == "destroy" || action == "delete")
}

/// By which names the engine may know what users wanted deleted, as far as the API said it.
fn wished(history: &[Record]) -> BTreeSet<String> {
    let wishes = history.iter().filter_map(|record| match &record.what {
        What::UserWrite(write) if write.deleted => Some(write),
        _ => None,
    });
    let mut uids = BTreeSet::new();
    let mut names = BTreeSet::new();
    for write in wishes {
        uids.insert(write.uid.as_str());
        names.insert(write.name.clone());
    }
    let objects = history.iter().flat_map(|record| Seen::all(&record.what));
    for seen in objects.filter(|seen| uids.contains(seen.uid())) {
        let said = ["/status/name", "/status/repoTag", "/status/id"];
        let said = said.into_iter().filter_map(|at| seen.object.pointer(at)?.as_str());
        names.extend(said.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names
}

/// What the daemon asks the engine to remove.
fn removal(what: &What) -> Option<String> {
    let What::Wire(WireMessage {
        event: WireWhat::Request { method, target, route: Some(route), .. },
        ..
    }) = what
    else {
        return None;
    };
    let kind = route.split('/').nth(1)?;
    let removes = method == "DELETE" && KINDS.contains(&kind);
    removes.then(|| decoded(target.split('?').next().unwrap_or_default()))
}

/// Tags have colons, and images slashes, which clients may escape.
fn decoded(path: &str) -> String {
    path.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/")
}
