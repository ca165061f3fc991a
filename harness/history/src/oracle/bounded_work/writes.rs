//! A mirror is not written where nothing of it changes (contract 4.2: an event upserts what the
//! engine says now; a server-side apply that changes nothing makes no event of a watch).
//!
//! Counted are changes of one mirror, between two checkpoints, by which nothing but its resource
//! version and its managed fields differ, against the engine's events about its object and full
//! syncs.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mirror::{Mirror, MirrorKey};
use crate::oracle::Finding;
use crate::oracle::seen::Seen;
use crate::record::{Record, Stage, What, WireMessage, WireWhat};
use crate::scenario::OracleName;

/// What is allowed without any cause.
const WITHOUT_CAUSE: usize = 8;

/// For each event of the engine about the object, and each full sync.
const FOR_EACH_CAUSE: usize = 4;

/// One mirror since the last checkpoint.
struct Writes {
    key: MirrorKey,
    version: u64,
    content: Value,
    needless: usize,
    seq: u64,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut mirrors: BTreeMap<String, Writes> = BTreeMap::new();
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
            what => Seen::all(what).iter().for_each(|seen| see(&mut mirrors, seen, record.seq)),
        }
    }
    finding
}

fn see(mirrors: &mut BTreeMap<String, Writes>, seen: &Seen<'_>, seq: u64) {
    if seen.is_gone() {
        return;
    }
    let Some(mirror) = Mirror::read(seen.resource, seen.object) else { return };
    let Some(version) = seen.version() else { return };
    let key = mirror.key;
    let content = content(seen.object);
    match mirrors.get_mut(seen.uid()) {
        None => {
            let writes = Writes { key, version, content, needless: 0, seq };
            mirrors.insert(seen.uid().to_owned(), writes);
        }
        // A watch may tell of what a list has shown already.
        Some(known) if version <= known.version => {}
        Some(known) => {
            // A list shows the last of several writes.
            let is_needless = seen.change.is_some() && content == known.content;
            known.needless += usize::from(is_needless);
            known.seq = if is_needless { seq } else { known.seq };
            (known.key, known.version, known.content) = (key, version, content);
        }
    }
}

/// The object without what every write changes.
fn content(object: &Value) -> Value {
    let mut content = object.clone();
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
    }
    content
}

impl Writes {
    fn judge(&self, events: &BTreeMap<String, usize>, syncs: usize, finding: &mut Finding) {
        // A blank container has the container's ID as its own name (contract 3.6).
        let id = match &self.key {
            MirrorKey::Blank { name, .. } => Some(name.as_str()),
            key => key.engine_id(),
        };
        let causes = syncs + id.and_then(|id| events.get(id)).copied().unwrap_or_default();
        if self.needless > WITHOUT_CAUSE + FOR_EACH_CAUSE * causes {
            let text = format!(
                "{}: its mirror was written {} times without a change between two checkpoints, \
                 with {causes} causes",
                self.key, self.needless
            );
            finding.violated(OracleName::BoundedWork, self.seq, text);
        }
    }
}
