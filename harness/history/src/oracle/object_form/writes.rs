//! Versions and generations only rise, and what identifies an object stays (contract 3.1.7, 3.1.9).
//!
//! - A watch reports changes of one kind in the order of their resource versions.
//! - From one state of an object to a later one, its creation time stays, its generation does not
//!   fall, and rises if the specification changed, and a deletion that has begun is not taken back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::Record;

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut watched: BTreeMap<&str, u64> = BTreeMap::new();
    let mut objects: BTreeMap<&str, (u64, &Value)> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for record in history {
        for seen in ObservedObject::in_record(&record.what) {
            let Some(version) = seen.version() else { continue };
            let mut complaint = None;
            if seen.change.is_some() {
                let last = watched.insert(seen.resource, version);
                complaint = last.filter(|last| *last >= version).map(|last| {
                    format!("the watch reported version {version} after version {last}")
                });
            }
            let known = objects.get(seen.uid()).filter(|_| !seen.uid().is_empty());
            match known {
                Some((known, _)) if *known >= version => {}
                _ => {
                    let found = known.and_then(|(_, before)| changed(before, seen.object));
                    complaint = complaint.or(found);
                    objects.insert(seen.uid(), (version, seen.object));
                }
            }
            if let Some(complaint) = complaint
                && reported.insert(seen.uid())
            {
                let text = format!("{} {}: {complaint}", seen.resource, seen.name());
                finding.violated(Check::WrongChange, record.seq, text);
            }
        }
    }
    finding
}

/// What is wrong with how an object changed.
fn changed(before: &Value, after: &Value) -> Option<String> {
    let text = |of: &Value, key: &str| {
        let field = of.pointer(&format!("/metadata/{key}"));
        field.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let generation = |of: &Value| of.pointer("/metadata/generation").and_then(Value::as_i64);
    for (key, may_begin) in [("creationTimestamp", false), ("deletionTimestamp", true)] {
        let (was, is) = (text(before, key), text(after, key));
        if was != is && !(may_begin && was.is_empty()) {
            return Some(format!("its {key} changed from `{was}` to `{is}`"));
        }
    }
    let (was, is) = (generation(before)?, generation(after)?);
    let respecified = before.get("spec") != after.get("spec");
    if is < was || (respecified && is == was) {
        let what = if respecified { "its spec changed, and " } else { "" };
        return Some(format!("{what}its generation went from {was} to {is}"));
    }
    None
}
