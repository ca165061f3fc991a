//! Endpoints are announced in the same order at each start (finding 323-I3): an order that comes by
//! chance changes the discovery ConfigMap where nothing has changed, and wakes whoever watches it.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{Record, What};

pub(super) fn judge(history: &[Record], finding: &mut Finding) {
    let mut before: BTreeMap<&str, &[String]> = BTreeMap::new();
    for record in history {
        let What::Announced { passthroughs } = &record.what else { continue };
        for (controller, endpoints) in passthroughs {
            let Some(earlier) = before.insert(controller, endpoints) else { continue };
            if earlier != endpoints && sorted(earlier) == sorted(endpoints) {
                let text = format!(
                    "{controller} announces {} now, and announced {} before",
                    endpoints.join(", "),
                    earlier.join(", ")
                );
                finding.violated(Check::EndpointOrder, record.seq, text);
            }
        }
    }
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort();
    names
}
