//! Secrets in a kubeconfig: everything in a user's entry that is not known to be harmless.

use serde_json::Value;

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::Masker;

/// Fields of a user's entry that are shown, because nobody can log in with them.
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
    /// Masks the users' entries, and then whatever is a secret in any JSON.
    pub(super) fn kubeconfig(&self, config: &mut Value, hits: &mut Hits) {
        let users = config.get_mut("users").and_then(Value::as_array_mut);
        for (index, entry) in users.into_iter().flatten().enumerate() {
            // The name of an entry is shown: contexts refer to it.
            if let Some(user) = entry.get_mut("user") {
                self.user(user, &Location::ROOT.field("users").item(index).field("user"), hits);
            }
        }
        self.tree(config, &Location::ROOT, hits);
    }

    fn user(&self, value: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        let Value::Object(map) = value else {
            return self.mask_all(Rule::KubeconfigUser, value, at, hits);
        };
        for (key, value) in map.iter_mut().filter(|(key, _)| !SHOWN.contains(&key.as_str())) {
            let at = at.field(key);
            match value {
                // The environment of a credential plugin: `tree` masks it by the names of the
                // variables.
                Value::Array(_) if key == "env" => {}
                Value::Object(_) => self.user(value, &at, hits),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => self.mask_all(Rule::KubeconfigUser, value, &at, hits),
            }
        }
    }
}
