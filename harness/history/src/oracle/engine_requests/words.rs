//! Each request of the daemon has the promised path and parameters (contract 4.1.2 to 4.1.8, 4.3.1 to
//! 4.3.3, 4.4.1).

use std::collections::BTreeSet;

use crate::check::Check;
use crate::oracle::Finding;
use crate::record::{Record, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::{EVENTS, UserCommands};

/// Requests with the parameters that each must have, and no others.
const WORDS: [(&str, &str, &str); 16] = [
    ("HEAD", "/_ping", ""),
    ("GET", "/_ping", ""),
    ("GET", "/info", ""),
    ("GET", "/containers/json", "all=1"),
    ("GET", "/containers/{id}/json", ""),
    ("GET", "/images/json", "all=1"),
    ("GET", "/images/{id}/json", ""),
    ("GET", "/volumes", ""),
    ("GET", "/volumes/{name}", ""),
    ("DELETE", "/containers/{id}", "force=1"),
    ("DELETE", "/images/{id}", "noprune=1"),
    ("DELETE", "/volumes/{name}", "force=1"),
    ("POST", "/containers/{id}/start", ""),
    ("POST", "/containers/{id}/pause", ""),
    ("POST", "/containers/{id}/unpause", ""),
    // Without a parameter, the engine's own time for a stop counts.
    ("POST", "/containers/{id}/stop", ""),
];

/// The versions of the engine's API that the daemon may speak: the major one, and the first and the
/// last minor one.
const VERSIONS: (u16, u16, u16) = (1, 40, 54);

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut by_user = UserCommands::default();
    let mut reported = BTreeSet::new();
    for record in history {
        by_user.apply(record, steps);
        let What::Wire(WireMessage { event, .. }) = &record.what else { continue };
        let WireWhat::Request { method, target, route: Some(route), .. } = event else { continue };
        if by_user.run() {
            continue;
        }
        if let Some(complaint) = complaint(method, target, route)
            && reported.insert((method, route))
        {
            let text = format!("the daemon asked the engine `{method} {target}`: {complaint}");
            finding.violated(Check::RequestWords, record.seq, text);
        }
    }
    finding
}

/// What is wrong with a request, if its words are promised.
fn complaint(method: &str, target: &str, route: &str) -> Option<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if route == EVENTS {
        let mut parameters = query.split('&');
        let is_since = |text: &str| {
            text.strip_prefix("since=").is_some_and(|time| time.parse::<u64>().is_ok())
        };
        if method != "GET" || !parameters.any(is_since) {
            return Some("without `since` in whole seconds".to_owned());
        }
    } else {
        let mut words = WORDS.iter();
        let (_, _, promised) = words.find(|word| (word.0, word.1) == (method, route))?;
        if query != *promised {
            return Some(format!("the promised parameters are `{promised}`"));
        }
    }
    let version = path.strip_prefix("/v").and_then(|path| path.split_once('/'));
    let is_versioned = version.is_some_and(|(version, _)| speaks(version));
    match route {
        "/_ping" => (path != "/_ping").then(|| "a ping has no version".to_owned()),
        _ => (!is_versioned).then(|| "not in a version from 1.40 to 1.54".to_owned()),
    }
}

fn speaks(version: &str) -> bool {
    let (wanted, first, last) = VERSIONS;
    let parsed = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u16>().ok()?, minor.parse::<u16>().ok()?)));
    parsed.is_some_and(|(major, minor)| major == wanted && (first..=last).contains(&minor))
}
