//! Secrets of a kubeconfig: whatever a user's entry does not have to show.

use serde_json::Value;

use super::hits::{Hits, Rule};
use super::masker::Masker;
use super::place::Place;

/// What a user's entry shows: none of it lets anybody in.
const SHOWN: [&str; 9] = [
    "apiVersion",
    "args",
    "as",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "command",
    "interactiveMode",
    "tokenFile",
];

/// Whether a document is a kubeconfig at all.
pub(super) fn is_kubeconfig(value: &Value) -> bool {
    value["kind"] == "Config" && (value["users"].is_array() || value["users"].is_null())
}

impl Masker {
    /// Masks a kubeconfig: first the users' entries, and then whatever else is one of the others'.
    pub(super) fn kubeconfig(&self, config: &mut Value, hits: &mut Hits) {
        let users = config.get_mut("users").and_then(Value::as_array_mut);
        for (index, entry) in users.into_iter().flatten().enumerate() {
            if let Some(user) = entry.get_mut("user") {
                self.user(user, &Place::ROOT.field("users").item(index).field("user"), hits);
            }
        }
        self.tree(config, &Place::ROOT, hits);
    }

    fn user(&self, value: &mut Value, at: &Place<'_>, hits: &mut Hits) {
        let Value::Object(map) = value else {
            return self.everything(Rule::KubeconfigUser, value, at, hits);
        };
        for (key, value) in map.iter_mut().filter(|(key, _)| !SHOWN.contains(&key.as_str())) {
            let at = at.field(key);
            match value {
                // Variables of a plugin that gets credentials are masked as variables.
                Value::Array(_) if key == "env" => {}
                Value::Object(_) => self.user(value, &at, hits),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => self.everything(Rule::KubeconfigUser, value, &at, hits),
            }
        }
    }
}
