//! Secrets of the Docker CLI's config.json: registries' entries and headers.

use serde_json::Value;

use super::hits::{Hits, Rule};
use super::masker::Masker;
use super::place::Place;

impl Masker {
    /// Masks the configuration: all that stands below a registry, and the values of headers.
    pub(super) fn docker_config(&self, config: &mut Value, hits: &mut Hits) {
        let registries = config.get_mut("auths").and_then(Value::as_object_mut);
        for (registry, entry) in registries.into_iter().flatten() {
            let auths = Place::ROOT.field("auths");
            let at = auths.field(registry);
            if let Value::Object(entry) = entry {
                for (key, value) in entry {
                    self.everything(Rule::RegistryAuth, value, &at.field(key), hits);
                }
            } else {
                self.everything(Rule::RegistryAuth, entry, &at, hits);
            }
        }
        let headers = config.get_mut("HttpHeaders").and_then(Value::as_object_mut);
        for (header, value) in headers.into_iter().flatten() {
            self.everything(
                Rule::Header,
                value,
                &Place::ROOT.field("HttpHeaders").field(header),
                hits,
            );
        }
        self.tree(config, &Place::ROOT, hits);
    }
}
