//! Secrets in the Docker CLI's config.json: logins to registries, and headers.

use serde_json::Value;

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::Masker;

impl Masker {
    /// Masks everything below a registry, the values of headers, and then whatever is a secret in
    /// any JSON.
    pub(super) fn docker_config(&self, config: &mut Value, hits: &mut Hits) {
        let registries = config.get_mut("auths").and_then(Value::as_object_mut);
        for (registry, entry) in registries.into_iter().flatten() {
            let auths = Location::ROOT.field("auths");
            let at = auths.field(registry);
            if let Value::Object(entry) = entry {
                for (key, value) in entry {
                    self.mask_all(Rule::RegistryAuth, value, &at.field(key), hits);
                }
            } else {
                self.mask_all(Rule::RegistryAuth, entry, &at, hits);
            }
        }
        let headers = config.get_mut("HttpHeaders").and_then(Value::as_object_mut);
        for (header, value) in headers.into_iter().flatten() {
            self.mask_all(
                Rule::Header,
                value,
                &Location::ROOT.field("HttpHeaders").field(header),
                hits,
            );
        }
        self.tree(config, &Location::ROOT, hits);
    }
}
