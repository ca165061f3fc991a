//! A field that a user wrote keeps its value in the object of the same UID until a user writes it again
//! (contract 3.6: the daemon writes mirrors by server-side apply, which leaves the fields of other
//! owners alone; findings 295-I9, 295-S1).
//!
//! This oracle judges fields of `spec`, labels and annotations. It does not judge status and finalizers,
//! which the daemon may change, or objects that are being deleted. The daemon may remove the annotation
//! of an action once `status.lastAction` reports that action (contract 4.4).
//!
//! The oracle looks for a user's write in the order of resource versions, not of records: the watch may
//! report the write before the API answers the user, and may report older states afterwards. A write
//! whose value no state shows is not judged; for example, admission may have changed the value. A change
//! while a user writes objects of this kind by `ctl` may be the user's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::oracle::users::CtlSteps;
use crate::record::{Blame, Record, What};
use crate::scenario::ACTION;

/// States of one object by resource version, each with the first record that shows it.
type States<'a> = BTreeMap<u64, (u64, &'a Value)>;

/// One write of a user to one field.
struct FieldWrite<'a> {
    /// Plural name of the object's kind.
    resource: &'a str,
    value: Value,
    /// The record at which the step of the write began. No earlier record can show the value.
    begun: u64,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let states = states(history);
    let aborted_at = aborted_step(history);
    let ctl = CtlSteps::from_history(history);
    for ((uid, pointer), writes) in writes(history) {
        let Some(states) = states.get(uid) else { continue };
        // The lowest version that the write can have: that of the newest state recorded before its
        // step, or of the user's previous write.
        let mut floor = 0;
        for (index, write) in writes.iter().enumerate() {
            let known = states.iter().filter(|(_, (seq, _))| *seq < write.begun);
            floor = floor.max(known.map(|(version, _)| *version).max().unwrap_or_default());
            let mut from = states.range(floor..).map(|(version, (_, object))| (*version, *object));
            let Some((stored, _)) = from.find(|(_, object)| is(object, &pointer, &write.value))
            else {
                continue;
            };
            floor = stored;
            let next = writes.get(index + 1);
            let later = states.range(stored + 1..).map(|(_, state)| *state);
            // The value need not last beyond the next write. Its state may be recorded before its
            // step's records are complete, so the value itself ends the promise as well.
            let ends = |(seq, object): &(u64, &Value)| {
                aborted_at.is_some_and(|aborted_at| *seq >= aborted_at)
                    || ctl.may_write(write.resource, *seq)
                    || next
                        .is_some_and(|next| *seq >= next.begun || is(object, &pointer, &next.value))
            };
            let lost = later
                .take_while(|state| !ends(state) && !is_consumed(state.1, &pointer, &write.value))
                .find(|(_, object)| !is(object, &pointer, &write.value));
            if let Some((seq, object)) = lost {
                let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?");
                let now = object.pointer(&pointer).unwrap_or(&Value::Null);
                let text =
                    format!("{name}: a user wrote {pointer}={}, and it became {now}", write.value);
                finding.violated(Check::FieldLost, seq, text);
            }
        }
    }
    finding
}

/// The record at which a step began that the harness did not complete, if there is one. In such a step a
/// user's write may have been stored without a record of it, so nothing is judged from there on.
///
/// The history may end inside the step: what follows the harness's own end is not judged, and the failure of
/// the step is recorded after that.
fn aborted_step(history: &[Record]) -> Option<u64> {
    let mut incomplete = None;
    for record in history {
        match record.what {
            What::StepBegan { .. } => incomplete = Some(record.seq),
            What::StepDone { .. }
            | What::StepFailed { blame: Blame::Daemon | Blame::Schedule, .. } => incomplete = None,
            _ => {}
        }
    }
    incomplete
}

/// Every state of each object that the history shows, except those after its deletion began.
fn states(history: &[Record]) -> BTreeMap<&str, States<'_>> {
    let mut states: BTreeMap<&str, States<'_>> = BTreeMap::new();
    for record in history {
        for seen in ObservedObject::in_record(&record.what) {
            if let Some(version) = seen.version().filter(|_| !seen.is_terminating()) {
                let of_object = states.entry(seen.uid()).or_default();
                of_object.entry(version).or_insert((record.seq, seen.object));
            }
        }
    }
    states
}

/// What users wrote to each field of each object, in order. Keys are UID and JSON pointer.
fn writes(history: &[Record]) -> BTreeMap<(&str, String), Vec<FieldWrite<'_>>> {
    let mut writes: BTreeMap<(&str, String), Vec<FieldWrite<'_>>> = BTreeMap::new();
    let mut begun = 0;
    for record in history {
        match &record.what {
            What::StepBegan { .. } => begun = record.seq,
            What::UserWrite(write) => {
                let mut leaves = Vec::new();
                write.fields.iter().for_each(|(at, value)| flatten(at, value, &mut leaves));
                for (pointer, value) in leaves.into_iter().filter(|(at, _)| is_user_field(at)) {
                    let field = writes.entry((&write.uid, pointer)).or_default();
                    field.push(FieldWrite { resource: &write.resource, value, begun });
                }
            }
            _ => {}
        }
    }
    writes
}

/// Collects the fields at and below a pointer whose values are not objects.
fn flatten(pointer: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    let Value::Object(members) = value else {
        leaves.push((pointer.to_owned(), value.clone()));
        return;
    };
    for (name, value) in members {
        // RFC 6901: `~` and `/` are escaped in a JSON pointer.
        let token = name.replace('~', "~0").replace('/', "~1");
        flatten(&format!("{pointer}/{token}"), value, leaves);
    }
}

/// Whether only users may change the field at this pointer.
fn is_user_field(pointer: &str) -> bool {
    let places = ["/spec/", "/metadata/labels/", "/metadata/annotations/"];
    places.iter().any(|place| pointer.starts_with(place))
}

/// Whether a field has this value; null stands for a missing field.
fn is(object: &Value, pointer: &str, value: &Value) -> bool {
    object.pointer(pointer).unwrap_or(&Value::Null) == value
}

/// Whether the daemon removed the annotation of an action and reported the action in the status.
fn is_consumed(object: &Value, pointer: &str, value: &Value) -> bool {
    let reported = object.pointer("/status/lastAction/action");
    pointer == ACTION && is(object, pointer, &Value::Null) && reported == Some(value)
}
