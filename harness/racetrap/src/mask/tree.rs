//! Secrets in any JSON, by the names of fields and by the shapes of environments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::{Masker, is_masked};
use super::words::announces_secret;

/// Fields that hold a command line as a list.
const COMMANDS: [&str; 8] =
    ["cmd", "entrypoint", "args", "arguments", "command", "test", "cmdline", "argv"];

/// The annotation that holds the applied object as text.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Masker {
    /// Masks the secrets in any JSON. `at` is the location of `value`.
    pub(crate) fn tree(&self, value: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        match value {
            Value::String(text) => {
                if let std::borrow::Cow::Owned(masked) = self.text(text, at, hits) {
                    *text = masked;
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.tree(value, &at.item(index), hits);
                }
            }
            Value::Object(map) => self.map(map, at, hits),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Masks the secrets of an object, which may be a Secret or a list of Secrets.
    fn map(&self, map: &mut Map<String, Value>, at: &Location<'_>, hits: &mut Hits) {
        let kind = map.get("kind").and_then(Value::as_str);
        let is_secret = kind == Some("Secret");
        if kind == Some("SecretList") {
            let items = map.get_mut("items").and_then(Value::as_array_mut);
            for (index, item) in items.into_iter().flatten().enumerate() {
                self.secret_data(item, &at.field("items").item(index), hits);
            }
        }
        // First, because a field called `value` announces nothing by itself.
        self.named_pair(map, at, hits);
        for (key, value) in map.iter_mut() {
            let at = at.field(key);
            // Docker writes `Env` and `Cmd`, Kubernetes `env` and `args`.
            let is = |known: &&str| key.eq_ignore_ascii_case(known);
            if is_secret && (key == "data" || key == "stringData") {
                self.data(value, key == "data", &at, hits);
            } else if key == APPLIED {
                self.applied(value, &at, hits);
            } else if is(&"createdby") || is(&"created_by") {
                self.build_step(value, &at, hits);
            } else if is(&"env") {
                self.variables(value, &at, hits);
            } else if COMMANDS.iter().any(is) {
                self.command(value, &at, hits);
            } else if announces_secret(key) {
                self.mask_all(Rule::NamedValue, value, &at, hits);
            } else {
                self.tree(value, &at, hits);
            }
        }
        // Last: the names must be unchanged while they decide how values are masked.
        self.keys(map, at, hits);
    }

    /// Masks the data of a Secret. The caller must know that it is one, because items of a list have no
    /// kind.
    pub(super) fn secret_data(&self, secret: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        for key in ["data", "stringData"] {
            if let Some(data) = secret.get_mut(key) {
                self.data(data, key == "data", &at.field(key), hits);
            }
        }
    }

    /// Masks the values of a Secret. A value in base64 is replaced by the base64 of its mask,
    /// because its readers decode it.
    fn data(&self, data: &mut Value, is_base64: bool, at: &Location<'_>, hits: &mut Hits) {
        let Some(map) = data.as_object_mut() else {
            return self.mask_all(Rule::SecretData, data, at, hits);
        };
        for (key, value) in map {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // The plain value is masked, so that it gets the same mask as in any other file.
            let decoded = is_base64.then(|| STANDARD.decode(&text).ok()).flatten();
            let plain = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let mask =
                self.mask_secret(Rule::SecretData, &plain.unwrap_or(text), &at.field(key), hits);
            *value = Value::String(if is_base64 { STANDARD.encode(mask) } else { mask });
        }
    }

    /// Masks an object that is the text of an annotation. A text that is not JSON is masked as a
    /// whole.
    fn applied(&self, value: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        let object = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        match object {
            Some(mut object) => {
                self.tree(&mut object, at, hits);
                *value = Value::String(object.to_string());
            }
            None => self.mask_all(Rule::NamedValue, value, at, hits),
        }
    }

    /// Masks variables, which are a list of `NAME=VALUE`, a list of `{name, value}`, or a map.
    fn variables(&self, variables: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        if let Value::Array(list) = variables {
            for (index, variable) in list.iter_mut().enumerate() {
                let at = at.item(index);
                if let Value::String(text) = variable {
                    *text = self.variable(text, &at, hits);
                } else if let Value::Object(map) = variable {
                    self.variable_pair(map, &at, hits);
                } else {
                    self.mask_all(Rule::Variable, variable, &at, hits);
                }
            }
        } else if let Value::Object(map) = variables {
            for (name, value) in map {
                if let Value::String(text) = value {
                    *text = self.value_of_variable(name, text, at, hits);
                } else {
                    self.mask_all(Rule::Variable, value, at, hits);
                }
            }
        } else {
            self.mask_all(Rule::Variable, variables, at, hits);
        }
    }

    /// Masks a variable of a pod. A variable with `valueFrom` has no value here.
    fn variable_pair(&self, map: &mut Map<String, Value>, at: &Location<'_>, hits: &mut Hits) {
        let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        match map.get_mut("value") {
            Some(Value::String(text)) => *text = self.value_of_variable(&name, text, at, hits),
            Some(other) => self.mask_all(Rule::Variable, other, at, hits),
            None => {}
        }
    }

    /// Masks the value in `{"name": "TOKEN", "value": "…"}` if the name announces a secret.
    fn named_pair(&self, map: &mut Map<String, Value>, at: &Location<'_>, hits: &mut Hits) {
        let named = ["name", "Name", "key", "Key", "property"]
            .iter()
            .any(|key| map.get(*key).and_then(Value::as_str).is_some_and(announces_secret));
        for key in ["value", "Value"] {
            if named && let Some(value) = map.get_mut(key) {
                self.mask_all(Rule::NamedValue, value, &at.field(key), hits);
            }
        }
    }

    /// Masks the command of a build step of an image, in which variables and arguments are words
    /// like all others.
    fn build_step(&self, value: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        let Value::String(text) = value else { return self.tree(value, at, hits) };
        let words = text.split(' ').map(|word| match word.split_once('=') {
            Some((name, _)) if is_variable_name(name) => self.variable(word, at, hits),
            Some(_) | None => word.to_owned(),
        });
        *text = words.collect::<Vec<_>>().join(" ");
        self.tree(value, at, hits);
    }

    fn command(&self, value: &mut Value, at: &Location<'_>, hits: &mut Hits) {
        let words: Option<Vec<String>> = value
            .as_array()
            .and_then(|list| list.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        match words {
            Some(mut words) => {
                self.command_line(&mut words, at, hits);
                *value = words.into();
            }
            None => self.tree(value, at, hits),
        }
    }

    /// Masks every text and number directly below a name that announces a secret. Values in an
    /// object below it are masked by their own names.
    pub(super) fn mask_all(
        &self,
        rule: Rule,
        value: &mut Value,
        at: &Location<'_>,
        hits: &mut Hits,
    ) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) if text.is_empty() || is_masked(text) => {}
            Value::String(text) => *text = self.mask_secret(rule, text, at, hits),
            Value::Number(number) => {
                *value = Value::String(self.mask_secret(rule, &number.to_string(), at, hits));
            }
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.mask_all(rule, value, &at.item(index), hits);
                }
            }
            Value::Object(map) => self.map(map, at, hits),
        }
    }

    /// Masks names of fields in which a pattern finds a secret.
    fn keys(&self, map: &mut Map<String, Value>, at: &Location<'_>, hits: &mut Hits) {
        // Collected first, because a map cannot change while its keys are read.
        let found: Vec<(String, String)> = map
            .keys()
            .filter_map(|key| {
                let masked = self.text(key, at, hits);
                (masked != key.as_str()).then(|| (key.clone(), masked.into_owned()))
            })
            .collect();
        for (key, masked) in found {
            if let Some(value) = map.remove(&key) {
                map.insert(masked, value);
            }
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
