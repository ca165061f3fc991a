//! The daemon removes an object from the engine only if a user deleted the object's mirror (contract
//! 4.3). A stop or a sync deletes only mirrors (4.6, 4.1). While a docker command of the user runs, a removal
//! may be the user's, so it is not judged.

use std::collections::BTreeSet;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::oracle::users::{Deletion, UserDeletions};
use crate::record::{Record, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::UserCommands;

/// Kinds of object that the daemon can remove, by the first segment of their routes.
const KINDS: [&str; 3] = ["containers", "images", "volumes"];

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let deletions = UserDeletions::from_history(history);
    let steps = Steps::from_history(history);
    let mut docker = UserCommands::default();
    for (index, record) in history.iter().enumerate() {
        docker.apply(record, steps);
        if docker.run() {
            continue;
        }
        let Some(target) = removal(&record.what) else { continue };
        if is_gone(&history[..index], &target) {
            continue;
        }
        // The harness records a user's deletion when the API has answered, and the daemon may act before
        // that. So the records up to the end of the step count as well.
        let rest = &history[index..];
        let step = rest.iter().position(|record| matches!(record.what, What::StepDone { .. }));
        let known = &history[..step.map_or(history.len(), |ahead| index + ahead)];
        let until = known.last().map_or(0, |record| record.seq + 1);
        if !deleted_names(known, deletions.before(until))
            .iter()
            .any(|name| target.contains(name.as_str()))
        {
            finding.violated(
                Check::RemovedUnasked,
                record.seq,
                format!("the daemon removed {target} from the engine, but no user asked for that"),
            );
        }
    }
    finding
}

/// Whether the object was gone before the request, so that the request removed nothing. That is so if the
/// engine's last event about the object reports its removal.
fn is_gone(history: &[Record], target: &str) -> bool {
    let last_action = history.iter().rev().find_map(|record| match &record.what {
        What::Engine(event) if target.ends_with(&format!("/{}", event.id)) => Some(&event.action),
        _ => None,
    });
    last_action.is_some_and(|action| action == "destroy" || action == "delete")
}

/// Every name that the engine may use for the objects whose mirrors users deleted.
fn deleted_names<'a>(
    history: &[Record],
    deletions: impl Iterator<Item = &'a Deletion<'a>>,
) -> BTreeSet<String> {
    let mut uids = BTreeSet::new();
    let mut names = BTreeSet::new();
    for deletion in deletions {
        uids.insert(deletion.uid);
        names.insert(deletion.name.to_owned());
    }
    // A mirror's status has the name, tag or ID that the engine knows.
    let objects = history.iter().flat_map(|record| ObservedObject::in_record(&record.what));
    for seen in objects.filter(|seen| uids.contains(seen.uid())) {
        let fields = ["/status/name", "/status/repoTag", "/status/id"];
        let values = fields.into_iter().filter_map(|at| seen.object.pointer(at)?.as_str());
        names.extend(values.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names
}

/// The path of the object that the daemon asks the engine to remove, if the record shows such a request.
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

/// The path without escaped colons and slashes, which tags and names of images contain.
fn decoded(path: &str) -> String {
    path.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/")
}
