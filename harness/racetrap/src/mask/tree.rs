//! Secrets in JSON, by the names under which they stand and the shapes of environments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::hits::{Hits, Rule};
use super::masker::{Masker, is_masked};
use super::place::Place;
use super::words::announces_secret;

/// Under these stand command lines, as lists.
const COMMANDS: [&str; 8] =
    ["cmd", "entrypoint", "args", "arguments", "command", "test", "cmdline", "argv"];

/// Under this stands the object as it was applied, as text.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Masker {
    /// Masks the secrets of any JSON. `at` says where it stands, as a JSON pointer or a path.
    pub(crate) fn tree(&self, value: &mut Value, at: &Place<'_>, hits: &mut Hits) {
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

    /// Masks the secrets of an object, also where it is a Secret, or a list of them.
    fn map(&self, map: &mut Map<String, Value>, at: &Place<'_>, hits: &mut Hits) {
        let kind = map.get("kind").and_then(Value::as_str);
        let is_secret = kind == Some("Secret");
        if kind == Some("SecretList") {
            let items = map.get_mut("items").and_then(Value::as_array_mut);
            for (index, item) in items.into_iter().flatten().enumerate() {
                self.secret_data(item, &at.field("items").item(index), hits);
            }
        }
        self.named_pair(map, at, hits);
        for (key, value) in map.iter_mut() {
            let at = at.field(key);
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
                self.everything(Rule::NamedValue, value, &at, hits);
            } else {
                self.tree(value, &at, hits);
            }
        }
        self.keys(map, at, hits);
    }

    /// A Secret, whether it says that it is one or not.
    pub(super) fn secret_data(&self, secret: &mut Value, at: &Place<'_>, hits: &mut Hits) {
        for key in ["data", "stringData"] {
            if let Some(data) = secret.get_mut(key) {
                self.data(data, key == "data", &at.field(key), hits);
            }
        }
    }

    /// Values of a Secret; in base64 they stay that, for their readers decode them.
    fn data(&self, data: &mut Value, is_base64: bool, at: &Place<'_>, hits: &mut Hits) {
        let Some(map) = data.as_object_mut() else {
            return self.everything(Rule::SecretData, data, at, hits);
        };
        for (key, value) in map {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let decoded = is_base64.then(|| STANDARD.decode(&text).ok()).flatten();
            let plain = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let mask = self.hide(Rule::SecretData, &plain.unwrap_or(text), &at.field(key), hits);
            *value = Value::String(if is_base64 { STANDARD.encode(mask) } else { mask });
        }
    }

    /// An object as text within an annotation; what cannot be read is masked whole.
    fn applied(&self, value: &mut Value, at: &Place<'_>, hits: &mut Hits) {
        let object = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        match object {
            Some(mut object) => {
                self.tree(&mut object, at, hits);
                *value = Value::String(object.to_string());
            }
            None => self.everything(Rule::NamedValue, value, at, hits),
        }
    }

    /// Variables as a list of `NAME=VALUE` or of `{name, value}`, or as a map.
    fn variables(&self, variables: &mut Value, at: &Place<'_>, hits: &mut Hits) {
        if let Value::Array(list) = variables {
            for (index, variable) in list.iter_mut().enumerate() {
                let at = at.item(index);
                if let Value::String(text) = variable {
                    *text = self.variable(text, &at, hits);
                } else if let Value::Object(map) = variable {
                    self.variable_pair(map, &at, hits);
                } else {
                    self.everything(Rule::Variable, variable, &at, hits);
                }
            }
        } else if let Value::Object(map) = variables {
            for (name, value) in map {
                if let Value::String(text) = value {
                    *text = self.value_of_variable(name, text, at, hits);
                } else {
                    self.everything(Rule::Variable, value, at, hits);
                }
            }
        } else {
            self.everything(Rule::Variable, variables, at, hits);
        }
    }

    /// A variable of a pod; one whose value comes from elsewhere has none here.
    fn variable_pair(&self, map: &mut Map<String, Value>, at: &Place<'_>, hits: &mut Hits) {
        let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        match map.get_mut("value") {
            Some(Value::String(text)) => *text = self.value_of_variable(&name, text, at, hits),
            Some(other) => self.everything(Rule::Variable, other, at, hits),
            None => {}
        }
    }

    /// `{"name": "TOKEN", "value": "…"}`: the name announces what stands beside it.
    fn named_pair(&self, map: &mut Map<String, Value>, at: &Place<'_>, hits: &mut Hits) {
        let named = ["name", "Name", "key", "Key", "property"]
            .iter()
            .any(|key| map.get(*key).and_then(Value::as_str).is_some_and(announces_secret));
        for key in ["value", "Value"] {
            if named && let Some(value) = map.get_mut(key) {
                self.everything(Rule::NamedValue, value, &at.field(key), hits);
            }
        }
    }

    /// A step of an image's build, in which variables and arguments stand as words.
    fn build_step(&self, value: &mut Value, at: &Place<'_>, hits: &mut Hits) {
        let Value::String(text) = value else { return self.tree(value, at, hits) };
        let words = text.split(' ').map(|word| match word.split_once('=') {
            Some((name, _)) if is_variable_name(name) => self.variable(word, at, hits),
            Some(_) | None => word.to_owned(),
        });
        *text = words.collect::<Vec<_>>().join(" ");
        self.tree(value, at, hits);
    }

    fn command(&self, value: &mut Value, at: &Place<'_>, hits: &mut Hits) {
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

    /// Masks every text and number directly below a name that announces a secret. What lies deeper
    /// has names of its own.
    pub(super) fn everything(
        &self,
        rule: Rule,
        value: &mut Value,
        at: &Place<'_>,
        hits: &mut Hits,
    ) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) if text.is_empty() || is_masked(text) => {}
            Value::String(text) => *text = self.hide(rule, text, at, hits),
            Value::Number(number) => {
                *value = Value::String(self.hide(rule, &number.to_string(), at, hits));
            }
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.everything(rule, value, &at.item(index), hits);
                }
            }
            Value::Object(map) => self.map(map, at, hits),
        }
    }

    /// Names in which a pattern finds a secret.
    fn keys(&self, map: &mut Map<String, Value>, at: &Place<'_>, hits: &mut Hits) {
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
