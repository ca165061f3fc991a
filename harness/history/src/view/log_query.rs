//! Which part of a log a request is for: of a client to the passthrough, and of the daemon to the
//! engine.

use std::collections::BTreeMap;

/// The query of a request for a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogQuery(BTreeMap<String, String>);

impl LogQuery {
    /// The query in a path with a query.
    pub(super) fn parse(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Whether a daemon that asks the engine by `engine` asks for what its client asked for by `self`
    /// (contract 6.1.2, 6.1.3): both outputs, as many lines of the end, and to follow or not.
    pub(super) fn is_asked_by(&self, engine: &Self) -> bool {
        let both = engine.is_set("stdout") && engine.is_set("stderr");
        let follows = self.get("follow").is_none_or(|value| GO_TRUE.contains(&value));
        // The contract has no other parameters. A daemon may pass on those of its client, and must add
        // none, because each of them changes what the engine sends.
        let passed_on = ["since", "until", "timestamps", "details"]
            .iter()
            .all(|name| !engine.is_set(name) || engine.get(name) == self.get(name));
        both && engine.is_set("follow") == follows && engine.tail() == self.tail() && passed_on
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether the engine takes a parameter for one that is set: it knows four words that say no.
    fn is_set(&self, name: &str) -> bool {
        let no = ["", "0", "no", "false", "none"];
        self.get(name).is_some_and(|value| !no.contains(&value.trim().to_lowercase().as_str()))
    }

    /// How many lines of the end; all, if that is no number.
    fn tail(&self) -> Option<u64> {
        self.get("tail").and_then(|lines| lines.parse().ok())
    }
}

/// What Go takes for true.
const GO_TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_asked(client: &str, engine: &str) -> bool {
        let engine = LogQuery::parse(&format!("/v1.41/containers/a/logs?{engine}"));
        LogQuery::parse(&format!("/passthrough/engine/logs/a{client}")).is_asked_by(&engine)
    }

    const FOLLOWED: &str = "follow=1&stderr=1&stdout=1";
    const ENDS: &str = "stderr=true&stdout=true&tail=all";

    #[test]
    fn a_daemon_asks_as_its_client_did() {
        assert!(is_asked("", FOLLOWED));
        assert!(is_asked("?follow=True", "follow=true&stderr=1&stdout=1&tail=all"));
        assert!(is_asked("?follow=F", ENDS) && is_asked("?follow=0&tail=all", ENDS));
        assert!(is_asked("?tail=5", "follow=1&stderr=1&stdout=1&tail=5"));
        assert!(is_asked("?since=1700000000", "follow=1&stderr=1&stdout=1&since=1700000000"));
        assert!(is_asked("?since=1700000000", FOLLOWED));
    }

    // Each differs in one parameter from what the client asked for.
    #[test]
    fn a_daemon_that_asks_for_something_else_is_noticed() {
        assert!(!is_asked("", ENDS) && !is_asked("?follow=false", FOLLOWED));
        assert!(
            !is_asked("?tail=5", FOLLOWED) && !is_asked("", "follow=1&stderr=1&stdout=1&tail=5")
        );
        assert!(!is_asked("?tail=5", "follow=1&stderr=1&stdout=1&tail=50"));
        assert!(!is_asked("?tail=0", FOLLOWED));
        assert!(
            !is_asked("", "follow=1&stdout=1") && !is_asked("", "follow=1&stderr=1&stdout=false")
        );
        assert!(!is_asked("", "follow=1&stderr=1&stdout=1&since=1"));
        assert!(!is_asked("", "follow=1&stderr=1&stdout=1&timestamps=1"));
    }
}
