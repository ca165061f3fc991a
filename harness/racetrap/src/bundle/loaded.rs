//! A bundle that a user hands in: a directory, or an archive of one. It may come from anybody, so
//! reading it stays within the limits, follows no link and writes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::layout::is_yaml;
use super::limited_files::{InvalidBundle, LimitedFiles, ParseError};
use super::limits::{Limits, READ, YAML_NODES};
use super::manifest::{MANIFEST, Manifest};
use super::unpack::unpack;
use crate::derived::JOURNAL;
use crate::sys::open_file;

/// The files of a bundle that the caller asked for, in memory, and the manifest.
#[derive(Debug)]
pub(crate) struct LoadedBundle {
    files: BTreeMap<String, Vec<u8>>,
    manifest: Option<Manifest>,
}

/// A bundle could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// It does not exist, or the operating system cannot read it.
    #[error("{path} cannot be read")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It contains something that no bundle has.
    #[error("{path} is not accepted as a bundle")]
    Invalid {
        path: PathBuf,
        #[source]
        source: InvalidBundle,
    },
}

impl LoadedBundle {
    /// Loads the manifest and the files whose paths are `wanted`. Checks path and size of every
    /// other file, but does not read it.
    pub(crate) fn read(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, LoadError> {
        let wanted = |path: &str| path == MANIFEST || wanted(path);
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let is_directory = fs::metadata(path).map_err(unreadable)?.is_dir();
        let files = if is_directory {
            read_directory(path, &READ, &wanted)
        } else {
            unpack(File::open(path).map_err(unreadable)?, &READ, &wanted)
        };
        let invalid = |source| LoadError::Invalid { path: path.to_owned(), source };
        Self::from_files(files.map_err(invalid)?).map_err(invalid)
    }

    fn from_files(mut files: BTreeMap<String, Vec<u8>>) -> Result<Self, InvalidBundle> {
        let manifest = files.remove(MANIFEST).map(|text| serde_json::from_slice(&text));
        let manifest = manifest.transpose().map_err(|source| InvalidBundle::Document {
            name: MANIFEST.to_owned(),
            source: source.into(),
        })?;
        Ok(Self { files, manifest })
    }

    /// A bundle with exactly these files, paths and texts, and without a manifest.
    #[cfg(test)]
    pub(crate) fn from_texts<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Self { files: files.into(), manifest: None }
    }

    /// The content of a file.
    pub(crate) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The content of a file as text, with a replacement character for whatever is not UTF-8.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.file(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The paths of all loaded files but the manifest, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Parses a JSON or YAML document. Returns `None` if the bundle does not have it.
    pub(crate) fn document(&self, path: &str) -> Result<Option<Value>, InvalidBundle> {
        let Some(bytes) = self.file(path) else { return Ok(None) };
        let parsed = if is_yaml(path) { parse_yaml(bytes) } else { parse_json(bytes) };
        let invalid = |source| InvalidBundle::Document { name: path.to_owned(), source };
        parsed.map(Some).map_err(invalid)
    }

    /// The reason that the manifest gives for a file that is missing.
    pub(crate) fn why_missing(&self, path: &str) -> String {
        let entries = self.manifest.iter().flat_map(|manifest| &manifest.entries);
        let mut entries = entries.filter(|entry| entry.path.as_deref() == Some(path));
        let why = entries.find_map(|entry| entry.why.clone());
        why.unwrap_or_else(|| "it was not captured".to_owned())
    }

    /// The manifest, if the bundle has one.
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }
}

fn parse_json(bytes: &[u8]) -> Result<Value, ParseError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Rejects anchors and aliases, with which a short text can stand for a huge document. Captured
/// documents have none.
fn parse_yaml(bytes: &[u8]) -> Result<Value, ParseError> {
    let budget = serde_yaml::budget! {
        max_aliases: 0,
        max_anchors: 0,
        max_nodes: YAML_NODES,
        max_events: 2 * YAML_NODES,
    };
    // A snippet in the error could send the document's control characters to a terminal.
    let options = serde_yaml::options! { with_snippet: false, budget: budget };
    Ok(serde_yaml::from_str_with_options(std::str::from_utf8(bytes)?, options)?)
}

/// Reads the directory of a bundle. If the run still writes to it, a file may be read in part.
fn read_directory(
    directory: &Path,
    limits: &Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, InvalidBundle> {
    // Checked first: a home directory given by mistake would otherwise be walked to its last file.
    if ![JOURNAL, MANIFEST].iter().any(|name| directory.join(name).is_file()) {
        return Err(InvalidBundle::Empty);
    }
    let mut kept = LimitedFiles::new(limits);
    walk(directory, "", &mut kept, wanted)?;
    Ok(kept.files)
}

/// Reads `directory`, whose path in the bundle is `prefix`, with a `/` at its end.
fn walk(
    directory: &Path,
    prefix: &str,
    kept: &mut LimitedFiles<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), InvalidBundle> {
    for entry in fs::read_dir(directory).map_err(InvalidBundle::Damaged)? {
        let entry = entry.map_err(InvalidBundle::Damaged)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        kept.count_entry(&path)?;
        // The type of the entry itself: a link is neither a file nor a directory.
        let kind = entry.file_type().map_err(InvalidBundle::Damaged)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), kept, wanted)?;
        } else if !kind.is_file() {
            return Err(InvalidBundle::Kind { name: path });
        } else {
            let length = entry.metadata().map_err(InvalidBundle::Damaged)?.len();
            kept.count_bytes(&path, length)?;
            if wanted(&path) {
                let mut content = Vec::new();
                let file = open_file(&entry.path()).map_err(InvalidBundle::Damaged)?;
                // No more than was counted, even if the file has grown since.
                file.take(length).read_to_end(&mut content).map_err(InvalidBundle::Damaged)?;
                kept.keep(path, content)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary directory");
        fs::write(place.path().join(JOURNAL), "1\n").expect("a new file");
        place
    }

    fn all(path: &Path) -> Result<LoadedBundle, String> {
        LoadedBundle::read(path, |_| true).map_err(|error| crate::chain::chain(&error))
    }

    // The archive is packed by the same function that packs real bundles.
    #[test]
    fn a_directory_and_its_archive_are_the_same_bundle() {
        let place = place();
        let directory = place.path().join("295-I3-20260101T000000Z");
        let logs = directory.join("world/engine/logs");
        fs::create_dir_all(&logs).expect("a new directory");
        fs::write(directory.join(JOURNAL), "1\n").expect("a new file");
        // With the directory the path is longer than the 100 bytes for a path in a tar header.
        let log = format!("world/engine/logs/{}.log", "a".repeat(64));
        fs::write(directory.join(&log), "stdout 1 one\n").expect("a new file");
        super::super::archive::archive(&directory).expect("room for an archive");
        for path in [directory.clone(), directory.with_extension("tar.zst")] {
            let bundle = all(&path).expect("a bundle");
            assert_eq!(bundle.paths().collect::<Vec<_>>(), [JOURNAL, log.as_str()]);
            assert_eq!(bundle.file(&log), Some(b"stdout 1 one\n".as_slice()));
            let journal = LoadedBundle::read(&path, |path| path == JOURNAL).expect("a bundle");
            assert_eq!(journal.paths().collect::<Vec<_>>(), [JOURNAL]);
        }
    }

    // A link to a file outside, a link to a directory, and a pipe, whose reader would wait for
    // ever.
    #[test]
    fn a_directory_with_a_link_or_a_pipe_is_rejected() {
        let outside = place();
        let links = [outside.path().join(JOURNAL), outside.path().to_owned()];
        for target in links {
            let place = place();
            symlink(target, place.path().join("x.txt")).expect("a new link");
            let why = all(place.path()).expect_err("a link");
            assert!(why.ends_with("\"x.txt\" is neither a file nor a directory"), "{why}");
        }
        let place = place();
        let mode = rustix::fs::Mode::RUSR;
        let pipe = place.path().join("x.txt");
        rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a new pipe");
        assert!(all(place.path()).expect_err("a pipe").contains("neither a file"));
    }

    #[test]
    fn a_path_that_is_no_bundle_is_rejected() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let why = all(place.path()).expect_err("an empty directory");
        assert!(why.contains("neither journal.jsonl nor manifest.json"), "{why}");
        let text = place.path().join("text");
        fs::write(&text, "text").expect("a new file");
        assert!(all(&text).expect_err("a text").contains("no archive"), "a text");
        assert!(all(&place.path().join("absent")).expect_err("nothing").contains("cannot be read"));
        fs::write(place.path().join(MANIFEST), "[]").expect("a new file");
        assert!(all(place.path()).expect_err("no manifest").contains("manifest.json"));
    }

    // Ten levels of ten aliases each would become ten thousand million nodes.
    #[test]
    fn a_document_that_expands_when_it_is_parsed_is_rejected() {
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..=10 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{below}]\n");
        }
        assert!(parse_yaml(bomb.as_bytes()).is_err());
        assert!(parse_yaml(b"kind: List\nitems: []\n").is_ok());
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert!(parse_yaml(&deep).is_err() && parse_json(&deep).is_err());
    }
}
