//! What is in the configuration's files: names as they are, and of each value a digest. The key of the
//! digests is chosen anew for each world and never told, so that no secret can be guessed from them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::{fs, io};

use racetrap_history::DockerContent;
use serde_json::{Map, Value};

/// The key that names the current context.
const CURRENT: &str = "currentContext";

/// Maps of which each entry is told by itself.
const MAPS: [&str; 2] = ["auths", "credHelpers"];

/// Reads files, and tells no secret of them.
#[derive(Default)]
pub(super) struct Reader {
    key: RandomState,
}

impl Reader {
    /// What is in `config.json`.
    pub(super) fn config(&self, path: &Path) -> DockerContent {
        match object(path) {
            Ok(members) => {
                let current = members.get(CURRENT).and_then(Value::as_str).map(str::to_owned);
                let mut told = BTreeMap::new();
                for (name, value) in members.into_iter().filter(|(name, _)| name != CURRENT) {
                    if let Value::Object(entries) = &value
                        && MAPS.contains(&name.as_str())
                    {
                        let each = entries.iter();
                        told.extend(each.map(|(at, it)| (format!("{name}/{at}"), self.digest(it))));
                        told.insert(name, String::new());
                    } else {
                        let digest = self.digest(&value);
                        told.insert(name, digest);
                    }
                }
                DockerContent::Config { current, members: told }
            }
            Err(other) => other,
        }
    }

    /// The name that a context's file gives it, and what it says of its docker endpoint.
    pub(super) fn context(&self, path: &Path) -> (Option<String>, DockerContent) {
        match object(path) {
            Ok(members) => {
                let context = Value::Object(members);
                let text = |at: &str| context.pointer(at).and_then(Value::as_str);
                let host = text("/Endpoints/docker/Host").map(str::to_owned);
                (text("/Name").map(str::to_owned), DockerContent::Context { host })
            }
            Err(other) => (None, other),
        }
    }

    fn digest(&self, value: &Value) -> String {
        // Objects are in the order of their keys.
        format!("{:016x}", self.key.hash_one(value.to_string()))
    }
}

/// The object in a file, or what is there instead. What a parser says of a text may quote it, so only
/// the place is told.
fn object(path: &Path) -> Result<Map<String, Value>, DockerContent> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(DockerContent::Nothing);
        }
        Err(error) => return Err(DockerContent::Unreadable { why: error.kind().to_string() }),
    };
    serde_json::from_slice(&text).map_err(|error| {
        let why = format!("line {}, column {}", error.line(), error.column());
        DockerContent::Malformed { why, bytes: text.len() as u64 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &Reader, text: &str) -> DockerContent {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("config.json");
        fs::write(&path, text).expect("a file");
        reader.config(&path)
    }

    // The secret is in every kind of value; the record must not have it, and must differ where it does.
    #[test]
    fn values_are_told_apart_and_not_told() {
        let reader = Reader::default();
        let text = r#"{"auths": {"r.example": {"auth": "SECRET"}}, "currentContext": "mine",
                       "proxies": ["SECRET"], "one": 1}"#;
        let content = read(&reader, text);
        let shown = serde_json::to_string(&content).expect("a record is JSON");
        assert!(!shown.contains("SECRET"), "{shown}");
        assert_eq!(content.current(), "mine");
        let DockerContent::Config { members, .. } = &content else { panic!("{content:?}") };
        let keys: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(keys, ["auths", "auths/r.example", "one", "proxies"]);
        assert_eq!(read(&reader, text), content);
        assert_ne!(read(&reader, &text.replace("SECRET\"}", "OTHER\"}")), content);
        assert_ne!(read(&Reader::default(), text), content, "another world has another key");
    }

    // The text of what is no JSON may be a secret as well.
    #[test]
    fn of_what_is_no_json_only_the_place_is_told() {
        let reader = Reader::default();
        for text in ["", "{\"auths\": SECRET", "\"SECRET\"", "[]"] {
            let content = read(&reader, text);
            assert!(content.is_broken(), "{content:?}");
            assert!(!format!("{content:?}").contains("SECRET"), "{content:?}");
        }
        let absent = reader.config(Path::new("/nowhere/config.json"));
        assert_eq!(absent, DockerContent::Nothing);
    }
}
