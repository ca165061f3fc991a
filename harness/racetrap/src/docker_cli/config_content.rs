//! Reads the configuration's files for the history: names as they are, and a digest of each value.
//!
//! Each world has digests of its own, so two digests are equal only within a world.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use racetrap_history::{DockerContent, FileAttributes};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::settings::Settings;
use crate::mask::ValueDigests;
use crate::sys::file_facts;

/// The member that names the current context.
const CURRENT: &str = "currentContext";

/// Members that are maps, whose entries are recorded one by one.
const MAPS: [&str; 2] = ["auths", "credHelpers"];

/// Reads files without their secrets.
#[derive(Default)]
pub(super) struct ContentReader {
    digests: ValueDigests,
}

impl ContentReader {
    /// The content of a `config.json`.
    pub(super) fn config(&self, path: &Path) -> DockerContent {
        match read_text(path).and_then(|text| settings(&text)) {
            Ok(members) => {
                let current = members.get(CURRENT).and_then(Value::as_str).map(str::to_owned);
                let mut recorded = BTreeMap::new();
                for (name, value) in members.into_iter().filter(|(name, _)| name != CURRENT) {
                    // One entry for each registry, so that a lost login is seen as one lost entry.
                    if let Value::Object(entries) = &value
                        && MAPS.contains(&name.as_str())
                    {
                        let each = entries.iter();
                        recorded.extend(
                            each.map(|(at, it)| (format!("{name}/{at}"), self.digests.digest(it))),
                        );
                        recorded.insert(name, String::new());
                    } else {
                        let digest = self.digests.digest(&value);
                        recorded.insert(name, digest);
                    }
                }
                DockerContent::Config { current, members: recorded }
            }
            Err(other) => other,
        }
    }

    /// The name in a context's file, and the address of its docker endpoint.
    pub(super) fn context(&self, path: &Path) -> (Option<String>, DockerContent) {
        match read_text(path).and_then(|text| object(&text)) {
            Ok(members) => {
                let context = Value::Object(members);
                let text = |at: &str| context.pointer(at).and_then(Value::as_str);
                let host = text("/Endpoints/docker/Host").map(str::to_owned);
                (text("/Name").map(str::to_owned), DockerContent::Context { host })
            }
            Err(other) => (None, other),
        }
    }
}

/// Whose a file of the configuration in `directory` is, and where it leads; `None` if it is not there.
pub(super) fn attributes(directory: &Path, path: &Path) -> Option<FileAttributes> {
    let link = fs::read_link(path).ok().map(|link| link.to_string_lossy().into_owned());
    let facts = file_facts(path).ok()?;
    Some(FileAttributes {
        mode: facts.mode,
        owner: facts.owner,
        group: facts.group,
        link,
        other_file_system: file_facts(directory).ok()?.device != facts.device,
    })
}

/// The whole text of a file.
///
/// # Errors
/// Why there is none.
fn read_text(path: &Path) -> Result<Vec<u8>, DockerContent> {
    fs::read(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            DockerContent::Nothing
        } else {
            DockerContent::Unreadable { why: error.kind().to_string() }
        }
    })
}

/// The members of a `config.json`. The docker command takes a file with nothing but white space for
/// one without settings.
fn settings(text: &[u8]) -> Result<Map<String, Value>, DockerContent> {
    let is_blank = text.iter().all(|byte| b" \t\r\n".contains(byte));
    if is_blank {
        return Ok(Map::new());
    }
    let members = object(text)?;
    // Of a member that is there twice the last one counts, in the docker command as in this map.
    match Settings::deserialize(&Value::Object(members.clone())) {
        Ok(_) => Ok(members),
        Err(_) => {
            let why = "a member has a type that the docker command refuses".to_owned();
            Err(DockerContent::Malformed { why, bytes: text.len() as u64 })
        }
    }
}

/// The JSON object in a text.
///
/// # Errors
/// What the text is instead. The parser's message may quote a secret, so only line and column are
/// kept.
fn object(text: &[u8]) -> Result<Map<String, Value>, DockerContent> {
    serde_json::from_slice(text).map_err(|error| {
        let why = format!("line {}, column {}", error.line(), error.column());
        DockerContent::Malformed { why, bytes: text.len() as u64 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &ContentReader, text: &str) -> DockerContent {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("config.json");
        fs::write(&path, text).expect("a file");
        reader.config(&path)
    }

    // Every kind of value contains the secret. The record must not contain it, and must change if
    // it does.
    #[test]
    fn different_values_have_different_digests_and_no_value_is_recorded() {
        let reader = ContentReader::default();
        let text = r#"{"auths": {"r.example": {"password": "SECRET"}}, "currentContext": "mine",
                       "proxies": {"default": {"httpProxy": "SECRET"}}, "one": 1}"#;
        let content = read(&reader, text);
        let shown = serde_json::to_string(&content).expect("a record is JSON");
        assert!(!shown.contains("SECRET"), "{shown}");
        assert_eq!(content.current(), "mine");
        let DockerContent::Config { members, .. } = &content else { panic!("{content:?}") };
        let keys: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(keys, ["auths", "auths/r.example", "one", "proxies"]);
        assert_eq!(read(&reader, text), content);
        assert_ne!(read(&reader, &text.replace("SECRET\"}", "OTHER\"}")), content);
        assert_ne!(read(&ContentReader::default(), text), content, "another world has another key");
    }

    // The docker command accepts these, and they have the same meaning.
    #[test]
    fn an_empty_configuration_is_one_without_settings() {
        let reader = ContentReader::default();
        for text in ["", " \r\n\t", "{}", r#"{"currentContext": "a", "currentContext": null}"#] {
            let expected = DockerContent::Config { current: None, members: BTreeMap::new() };
            assert_eq!(read(&reader, text), expected, "{text:?}");
        }
    }

    // A link has the mode of what it leads to, and its own text as the way there.
    #[test]
    fn a_link_has_the_attributes_of_its_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "{}").expect("a file");
        crate::sys::set_owner_and_mode(&at("file"), None, Some(0o640)).expect("a mode");
        crate::sys::create_link(Path::new("file"), &at("link")).expect("a link");
        let file = attributes(directory.path(), &at("file")).expect("it is there");
        let link = attributes(directory.path(), &at("link")).expect("it is there");
        assert_eq!((file.mode, file.link.as_deref(), file.other_file_system), (0o640, None, false));
        assert_eq!(link, FileAttributes { link: Some("file".to_owned()), ..file });
        assert_eq!(attributes(directory.path(), &at("absent")), None);
    }

    // A text that is no JSON may contain a secret too.
    #[test]
    fn a_malformed_file_is_recorded_by_the_position_of_the_error() {
        let reader = ContentReader::default();
        for text in
            ["\u{c}", "{\"auths\": SECRET", "{\"credsStore\": [\"SECRET\"]}", "\"SECRET\"", "[]"]
        {
            let content = read(&reader, text);
            assert!(content.is_broken(), "{content:?}");
            assert!(!format!("{content:?}").contains("SECRET"), "{content:?}");
        }
        let absent = reader.config(Path::new("/nowhere/config.json"));
        assert_eq!(absent, DockerContent::Nothing);
    }
}
