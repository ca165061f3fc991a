//! A condition has its generation, and a time that changes exactly when its status does (contract
//! 3.7.29, 3.7.30).
//!
//! - A condition of the App has an `observedGeneration`: not newer than the App that carries it, and
//!   never older than before.
//! - Between two states of an object that follow each other, `lastTransitionTime` stays if the status
//!   stays. A watch reports every state, so such a pair is one in which the second state was watched,
//!   and was newer than the first.
//! - If the status changes, the new time is not older than anything that was dated before. A writer
//!   takes the time after it has read the object's last state, and resource versions order the writes
//!   of all kinds (contract 3.1.7). So the time is at least that of every creation and transition at a
//!   version up to the object's last one. All times are of one machine's clock, in whole seconds.
//!
//! In VM mode `api` the harness writes the conditions of a LimaVM, with the times of its own clock,
//! and the App copies them. So these times are neither judged there nor compared with others. Where the
//! daemon runs the VM, the App copies the times of transitions as well (contract 3.7.5), later than they
//! were, and may miss a state in between: only the LimaVM's own are judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{Record, Review, ReviewOutcome, What};
use crate::scenario::VmMode;

/// Kinds whose conditions are judged.
const RESOURCES: [&str; 3] = ["apps", "limavms", "containers"];

/// Form of a time of the API, with digits for zeros.
const TIME: &str = "0000-00-00T00:00:00Z";

/// The last state of an object.
struct LastState<'a> {
    version: u64,
    conditions: BTreeMap<&'a str, &'a Value>,
}

/// Conditions that the App copies from its LimaVM.
const COPIED: [&str; 2] = ["Created", "Running"];

#[derive(Default)]
struct Conditions<'a> {
    /// The harness plays the VM.
    harness_runs_vm: bool,
    /// The last state of each object, by UID.
    objects: BTreeMap<&'a str, LastState<'a>>,
    /// The newest time at each resource version. Times of this form are ordered as texts are.
    times: BTreeMap<u64, &'a str>,
    /// A write of a status was held, so that its times may be older than what others wrote meanwhile.
    held: bool,
    /// What was reported already: the object's name, the condition, and the sort of complaint.
    reported: BTreeSet<(&'a str, &'a str, &'static str)>,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut seen = Conditions::default();
    for record in history {
        if let What::Run(header) = &record.what {
            seen.harness_runs_vm = header.vm == VmMode::Api;
        }
        if let What::Review(Review { resource, outcome: ReviewOutcome::HeldAt(_), .. }) =
            &record.what
        {
            seen.held |= resource.ends_with("/status");
        }
        for object in ObservedObject::in_record(&record.what) {
            seen.apply(&object, |text| {
                finding.violated(Check::WrongCondition, record.seq, text);
            });
        }
    }
    finding
}

impl<'a> Conditions<'a> {
    fn apply(&mut self, seen: &ObservedObject<'a>, mut violated: impl FnMut(String)) {
        if seen.resource == "limavms" && self.harness_runs_vm {
            return;
        }
        let is_copied = |kind: &str| seen.resource == "apps" && COPIED.contains(&kind);
        let harness_runs_vm = self.harness_runs_vm;
        let Some(version) = seen.version() else { return };
        let conditions = conditions(seen.object);
        let last = self.objects.get(seen.uid());
        // A list and a watch may show the same state, and a watch one that a list has overtaken.
        if last.is_some_and(|last| last.version >= version) {
            return;
        }
        if RESOURCES.contains(&seen.resource) && !seen.is_deleted() {
            let mut complaints: Vec<(&str, &'static str, String)> = Vec::new();
            for (kind, condition) in &conditions {
                let complaint = form(seen, condition);
                complaints.extend(complaint.map(|(sort, text)| (*kind, sort, text)));
                // A list may have missed states in between.
                let before = last.filter(|_| seen.change.is_some());
                if let Some(before) = before
                    && let Some(old) = before.conditions.get(kind)
                {
                    let newest = self.times.range(..=before.version).map(|(_, time)| *time).max();
                    let newest = newest.filter(|_| !is_copied(kind) && !self.held);
                    let complaint = transition(old, condition, newest);
                    let may_move = is_copied(kind) && !harness_runs_vm;
                    let complaint = complaint.filter(|(sort, _)| !may_move || *sort != "moved");
                    complaints.extend(complaint.map(|(sort, text)| (*kind, sort, text)));
                }
            }
            for (kind, sort, text) in complaints {
                if self.reported.insert((seen.name(), kind, sort)) {
                    violated(format!("{} {}: condition {kind} {text}", seen.resource, seen.name()));
                }
            }
        }
        let dated = conditions
            .iter()
            .filter(|(kind, _)| !is_copied(kind) || !harness_runs_vm)
            .map(|(_, condition)| text(condition, "lastTransitionTime"));
        let created = seen.object.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
        if let Some(newest) = dated.chain(created).filter(|time| is_time(time)).max() {
            self.times.insert(version, newest);
        }
        self.objects.insert(seen.uid(), LastState { version, conditions });
    }
}

/// What is wrong with one condition by itself: the sort of complaint, and its text.
fn form(seen: &ObservedObject<'_>, condition: &Value) -> Option<(&'static str, String)> {
    let (status, time) = (text(condition, "status"), text(condition, "lastTransitionTime"));
    if !["True", "False", "Unknown"].contains(&status) {
        return Some(("status", format!("has the status `{status}`")));
    }
    if text(condition, "reason").is_empty() {
        return Some(("reason", "has no reason".to_owned()));
    }
    if !is_time(time) {
        return Some(("time", format!("has no lastTransitionTime but `{time}`")));
    }
    if seen.resource != "apps" {
        return None;
    }
    let generation = seen.object.pointer("/metadata/generation").and_then(Value::as_i64);
    match (condition.get("observedGeneration").and_then(Value::as_i64), generation) {
        (None, _) => Some(("generation", "has no observedGeneration".to_owned())),
        (Some(observed), Some(generation)) if observed > generation || observed < 1 => {
            let text = format!("has observedGeneration {observed} at generation {generation}");
            Some(("generation", text))
        }
        (Some(_), _) => None,
    }
}

/// What is wrong with how a condition changed from one state of its object to the next. `newest` is
/// the newest time that was known when the second state was written.
fn transition(old: &Value, new: &Value, newest: Option<&str>) -> Option<(&'static str, String)> {
    let generation = |of: &Value| of.get("observedGeneration").and_then(Value::as_i64);
    if generation(new) < generation(old) && generation(new).is_some() {
        return Some(("older", "was written for an older generation than before".to_owned()));
    }
    let time = |of| text(of, "lastTransitionTime");
    let (was, is) = (text(old, "status"), text(new, "status"));
    if was == is {
        let text = format!(
            "is {is} as before, but its lastTransitionTime changed from {} to {}",
            time(old),
            time(new)
        );
        return (time(old) != time(new)).then_some(("moved", text));
    }
    let newest = newest.filter(|newest| *newest > time(new))?;
    let text = format!(
        "changed from {was} to {is} with lastTransitionTime {}, which is before {newest}, a time \
         of the API's objects as they were before that change",
        time(new)
    );
    Some(("stayed", text))
}

/// An object's conditions by type.
fn conditions(object: &Value) -> BTreeMap<&str, &Value> {
    let listed = object.pointer("/status/conditions").and_then(Value::as_array);
    listed.into_iter().flatten().map(|condition| (text(condition, "type"), condition)).collect()
}

fn text<'a>(condition: &'a Value, key: &str) -> &'a str {
    condition.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_time(text: &str) -> bool {
    let fits = |(is, form): (u8, u8)| if form == b'0' { is.is_ascii_digit() } else { is == form };
    text.len() == TIME.len() && text.bytes().zip(TIME.bytes()).all(fits)
}
