//! A field that a user wrote keeps its value, in the object of the same UID, until a user writes it
//! anew (contract 3.6: mirrors are written by server-side apply, which leaves the fields of others
//! alone; findings 295-I9, 295-S1).
//!
//! Judged are fields of `spec`, labels and annotations; status and finalizers are the daemon's to
//! change, and an object that is being deleted is left out. The action's annotation is the daemon's
//! to remove once `status.lastAction` tells of that action (contract 4.4).
//!
//! A user's write is found in the order of resource versions, not of records: the watch may tell of
//! it before the user is answered, or of older states afterwards. Its value must have been seen
//! there once; what was never seen, such as a value that admission has changed, is not judged.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{Blame, Record, What};
use crate::scenario::{ACTION, OracleName};

/// States of one object by version, each with the first record that showed it.
type States<'a> = BTreeMap<u64, (u64, &'a Value)>;

/// One field that a user wrote.
struct Write {
    value: Value,
    /// The step began here, before which nothing of it can have been seen.
    begun: u64,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let states = states(history);
    let cut = cut_step(history);
    for ((uid, pointer), writes) in writes(history) {
        let Some(states) = states.get(uid) else { continue };
        let mut floor = 0;
        for (at, write) in writes.iter().enumerate() {
            let known = states.iter().filter(|(_, (seq, _))| *seq < write.begun);
            floor = floor.max(known.map(|(version, _)| *version).max().unwrap_or_default());
            let mut from = states.range(floor..).map(|(version, (_, object))| (*version, *object));
            let Some((stored, _)) = from.find(|(_, object)| is(object, &pointer, &write.value))
            else {
                continue;
            };
            floor = stored;
            let next = writes.get(at + 1);
            let later = states.range(stored + 1..).map(|(_, state)| *state);
            // Of the next write's step, what it wrote itself ends the promise.
            let ends = |(seq, object): &(u64, &Value)| {
                cut.is_some_and(|cut| *seq >= cut)
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
                finding.violated(OracleName::NoLostUpdate, seq, text);
            }
        }
    }
    finding
}

/// Where the step began that the harness gave up, if it did: a user's write in it may be stored without a
/// record that tells so.
fn cut_step(history: &[Record]) -> Option<u64> {
    let mut begun = 0;
    history.iter().find_map(|record| match record.what {
        What::StepBegan { .. } => {
            begun = record.seq;
            None
        }
        What::StepFailed { blame: Blame::World, .. } => Some(begun),
        _ => None,
    })
}

/// Every state that was seen of each object, but for those of its deletion.
fn states(history: &[Record]) -> BTreeMap<&str, States<'_>> {
    let mut states: BTreeMap<&str, States<'_>> = BTreeMap::new();
    for record in history {
        for seen in Seen::all(&record.what) {
            let ends =
                seen.is_gone() || seen.object.pointer("/metadata/deletionTimestamp").is_some();
            if let Some(version) = seen.version().filter(|_| !ends) {
                let of_object = states.entry(seen.uid()).or_default();
                of_object.entry(version).or_insert((record.seq, seen.object));
            }
        }
    }
    states
}

/// What users wrote to each field of each object, in order.
fn writes(history: &[Record]) -> BTreeMap<(&str, String), Vec<Write>> {
    let mut writes: BTreeMap<(&str, String), Vec<Write>> = BTreeMap::new();
    let mut begun = 0;
    for record in history {
        match &record.what {
            What::StepBegan { .. } => begun = record.seq,
            What::UserWrite(write) => {
                let mut leaves = Vec::new();
                write.fields.iter().for_each(|(at, value)| flatten(at, value, &mut leaves));
                for (pointer, value) in leaves.into_iter().filter(|(at, _)| is_users(at)) {
                    let of_field = writes.entry((&write.uid, pointer)).or_default();
                    of_field.push(Write { value, begun });
                }
            }
            _ => {}
        }
    }
    writes
}

/// The fields below a pointer that hold no object themselves.
fn flatten(pointer: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    let Value::Object(members) = value else {
        leaves.push((pointer.to_owned(), value.clone()));
        return;
    };
    for (name, value) in members {
        let token = name.replace('~', "~0").replace('/', "~1");
        flatten(&format!("{pointer}/{token}"), value, leaves);
    }
}

fn is_users(pointer: &str) -> bool {
    let places = ["/spec/", "/metadata/labels/", "/metadata/annotations/"];
    places.iter().any(|place| pointer.starts_with(place))
}

fn is(object: &Value, pointer: &str, value: &Value) -> bool {
    object.pointer(pointer).unwrap_or(&Value::Null) == value
}

fn is_consumed(object: &Value, pointer: &str, value: &Value) -> bool {
    let told = object.pointer("/status/lastAction/action");
    pointer == ACTION && is(object, pointer, &Value::Null) && told == Some(value)
}
