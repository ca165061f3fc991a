//! How far the harness's watches of the daemon's API have come, read from the journal of the run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use racetrap_history::{What, journal};
use serde_json::{Value, json};

use crate::chain::chain;

/// The progress of each watch, by the plural name of its resource.
pub(super) struct Watches(BTreeMap<String, Watch>);

#[derive(Default)]
struct Watch {
    /// The resource version of the last list.
    listed: u64,
    /// The resource version of the last event; 0 if there was none.
    seen: u64,
    /// Why the watch ended, if it did.
    lost: Option<String>,
}

impl Watches {
    /// Reads the journal, which has everything that the watches have told the harness.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only three kinds of record are of a watch")]
    pub(super) fn read(journal: &Path) -> Result<Self, String> {
        let file = File::open(journal).map_err(|error| error.to_string())?;
        let records = journal::read(BufReader::new(file)).map_err(|error| chain(&error))?.records;
        let mut watches: BTreeMap<String, Watch> = BTreeMap::new();
        for record in records {
            match record.what {
                What::Listed { resource, version, .. } => {
                    watches.insert(resource, Watch { listed: version, ..Watch::default() });
                }
                What::Api(change) => {
                    let version = change.object["metadata"]["resourceVersion"].as_str();
                    let watch = watches.entry(change.resource).or_default();
                    watch.seen = version.and_then(|text| text.parse().ok()).unwrap_or(watch.seen);
                }
                What::WatchLost { resource, reason } => {
                    watches.entry(resource).or_default().lost = Some(reason);
                }
                _ => {}
            }
        }
        Ok(Self(watches))
    }

    /// One row for each watch, with the resource version that the server has now.
    pub(super) fn compared_with(&self, versions: &BTreeMap<String, Value>) -> Value {
        let row = |(plural, watch): (&String, &Watch)| {
            let row = json!({
                "listed": watch.listed, "seen": watch.seen, "lost": watch.lost,
                "server": versions.get(plural),
            });
            (plural.clone(), row)
        };
        Value::Object(self.0.iter().map(row).collect())
    }
}
