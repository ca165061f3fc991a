//! The daemon does not write a mirror without changing it (contract 4.2: after an event the daemon
//! writes the engine's current state; a server-side apply that changes nothing causes no watch event).
//!
//! This oracle counts the writes to one mirror between two checkpoints that change nothing but its
//! resource version and its managed fields. It compares the number with the engine's events about the
//! object and with the full syncs.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::Check;
use crate::mirror::{Mirror, MirrorKey};
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{Record, Stage, What, WireMessage, WireWhat};

/// How many such writes are allowed without any cause.
const WITHOUT_CAUSE: usize = 8;

/// How many more are allowed for each event of the engine about the object and each full sync.
const FOR_EACH_CAUSE: usize = 4;

/// The writes to one mirror since the last checkpoint.
struct MirrorWrites {
    key: MirrorKey,
    version: u64,
    content: Value,
    /// Writes that changed nothing.
    needless: usize,
    /// The record of the last write that changed nothing.
    seq: u64,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut mirrors: BTreeMap<String, MirrorWrites> = BTreeMap::new();
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    let mut syncs = 0;
    for record in history {
        match &record.what {
            What::Engine(event) => *events.entry(event.id.clone()).or_default() += 1,
            What::Wire(WireMessage { event: WireWhat::Request { route, .. }, .. })
                if route.as_deref() == Some("/containers/json") =>
            {
                syncs += 1;
            }
            What::Checkpoint { stage: Stage::Probed, .. } | What::Ending | What::Ended => {
                for writes in mirrors.values_mut() {
                    writes.judge(&events, syncs, &mut finding);
                    writes.needless = 0;
                }
                events.clear();
                syncs = 0;
            }
            what => ObservedObject::in_record(what)
                .iter()
                .for_each(|seen| apply(&mut mirrors, seen, record.seq)),
        }
    }
    finding
}

fn apply(mirrors: &mut BTreeMap<String, MirrorWrites>, seen: &ObservedObject<'_>, seq: u64) {
    if seen.is_deleted() {
        return;
    }
    let Some(mirror) = Mirror::read(seen.resource, seen.object) else { return };
    let Some(version) = seen.version() else { return };
    let key = mirror.key;
    let content = content(seen.object);
    match mirrors.get_mut(seen.uid()) {
        None => {
            let writes = MirrorWrites { key, version, content, needless: 0, seq };
            mirrors.insert(seen.uid().to_owned(), writes);
        }
        // A watch may report a state that a list has already shown.
        Some(known) if version <= known.version => {}
        Some(known) => {
            // A list shows only the last of several writes, so it cannot prove a needless one.
            let is_needless = seen.change.is_some() && content == known.content;
            known.needless += usize::from(is_needless);
            known.seq = if is_needless { seq } else { known.seq };
            (known.key, known.version, known.content) = (key, version, content);
        }
    }
}

/// The object without the fields that every write changes.
fn content(object: &Value) -> Value {
    let mut content = object.clone();
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
    }
    content
}

impl MirrorWrites {
    fn judge(&self, events: &BTreeMap<String, usize>, syncs: usize, finding: &mut Finding) {
        // A container's mirror without a status has the container's ID as its name (contract 3.6).
        let id = match &self.key {
            MirrorKey::Blank { name, .. } => Some(name.as_str()),
            key => key.engine_id(),
        };
        let causes = syncs + id.and_then(|id| events.get(id)).copied().unwrap_or_default();
        if self.needless > WITHOUT_CAUSE + FOR_EACH_CAUSE * causes {
            let text = format!(
                "{}: the daemon wrote its mirror {} times without a change between two \
                 checkpoints, with {causes} causes",
                self.key, self.needless
            );
            finding.violated(Check::WritesRepeated, self.seq, text);
        }
    }
}
