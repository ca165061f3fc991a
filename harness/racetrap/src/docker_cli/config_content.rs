//! Reads the configuration's files for the history: names as they are, and a digest of each value.
//!
//! Each world has digests of its own, so two digests are equal only within a world.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use racetrap_history::{DockerContent, FileAttributes};
use serde_json::value::RawValue;
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
                let mut current = None;
                let mut recorded = BTreeMap::new();
                for (name, text) in members {
                    let value = value(&text);
                    if name == CURRENT {
                        current = value.as_str().map(str::to_owned);
                    } else {
                        self.record(name, &value, &mut recorded);
                    }
                }
                DockerContent::Config { current, members: recorded }
            }
            Err(other) => other,
        }
    }

    /// Records a member by its digest.
    fn record(&self, name: String, value: &Value, recorded: &mut BTreeMap<String, String>) {
        // One entry for each registry, so that a lost login is seen as one lost entry.
        if let Value::Object(entries) = value
            && MAPS.contains(&name.as_str())
        {
            let each = entries.iter();
            recorded.extend(each.map(|(at, it)| (format!("{name}/{at}"), self.digests.digest(it))));
            recorded.insert(name, String::new());
        } else {
            recorded.insert(name, self.digests.digest(value));
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
/// one without settings, and replaces bytes that are no UTF-8. Of a member that is there twice the last
/// one counts.
fn settings(text: &[u8]) -> Result<BTreeMap<String, Box<RawValue>>, DockerContent> {
    let is_blank = text.iter().all(|byte| b" \t\r\n".contains(byte));
    if is_blank {
        return Ok(BTreeMap::new());
    }
    let malformed = |why| DockerContent::Malformed { why, bytes: text.len() as u64 };
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&String::from_utf8_lossy(text))
            .map_err(|error| malformed(place(&error)))?;
    let once = serde_json::to_string(&members).expect("what was read can be written");
    match serde_json::from_str::<Settings>(&once) {
        Ok(_) => Ok(members),
        Err(_) => Err(malformed("a member has a type that the docker command refuses".to_owned())),
    }
}

/// The value of a member. The docker command skips members that it does not know, so they may have what
/// no number or text of ours can hold, such as `1e400`: then it is the text without white space.
fn value(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_else(|_| {
        let (mut in_string, mut is_escaped) = (false, false);
        let significant = text.get().chars().filter(|&character| {
            let kept = in_string || !character.is_ascii_whitespace();
            in_string ^= character == '"' && !is_escaped;
            is_escaped = in_string && character == '\\' && !is_escaped;
            kept
        });
        Value::String(significant.collect())
    })
}

/// The JSON object in a text.
///
/// # Errors
/// What the text is instead. The parser's message may quote a secret, so only line and column are
/// kept.
fn object(text: &[u8]) -> Result<Map<String, Value>, DockerContent> {
    serde_json::from_slice(text)
        .map_err(|error| DockerContent::Malformed { why: place(&error), bytes: text.len() as u64 })
}

/// Where a parser has failed.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

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

    // The docker command skips what it does not know. A writer may indent it anew.
    #[rstest]
    #[case::number("1e400", "1e401")]
    #[case::lone_surrogate(r#""\ud800 \" x""#, r#""\ud800 \" y""#)]
    #[case::deep(&"[".repeat(200), &"[".repeat(201))]
    fn an_unknown_member_may_have_what_no_value_holds(#[case] one: &str, #[case] other: &str) {
        let reader = ContentReader::default();
        let text = |value: &str| {
            let end = "]".repeat(value.matches('[').count());
            format!(r#"{{"currentContext": "mine", "x": {{"y":[{value}{end}]}}}}"#)
        };
        let content = read(&reader, &text(one));
        assert_eq!(content.current(), "mine");
        assert_eq!(read(&reader, &text(one).replace(r#""y":["#, "\"y\" :\n\t[ ")), content);
        assert_ne!(read(&reader, &text(other)), content);
    }

    #[test]
    fn bytes_that_are_no_text_break_no_configuration() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("config.json");
        fs::write(&path, b"{\"currentContext\": \"mine\", \"x\": \"\xff\"}").expect("a file");
        assert_eq!(ContentReader::default().config(&path).current(), "mine");
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
