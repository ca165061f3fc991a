//! A bundle that somebody hands in: a directory, or an archive of one. Whatever wrote it, reading it costs
//! no more than the limits say, follows no link, and writes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::limits::{Limits, READ, YAML_NODES};
use super::manifest::{MANIFEST, Manifest};
use super::unpack::unpack;
use crate::derived::JOURNAL;
use crate::sys::open_file;

/// A bundle's files, as far as they were asked for.
#[derive(Debug)]
pub(crate) struct Opened {
    files: BTreeMap<String, Vec<u8>>,
    manifest: Option<Manifest>,
}

/// A bundle that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// It is not there, or its disk does not give it.
    #[error("{path} cannot be read")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It has what no bundle has.
    #[error("{path} is not taken for a bundle")]
    Refused {
        path: PathBuf,
        #[source]
        source: Refusal,
    },
}

/// What no bundle of ours has. Names are shown so that they cannot write to a terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it has neither {JOURNAL} nor {MANIFEST}")]
    Empty,
    #[error("it is no archive, or a damaged one")]
    Damaged(#[source] io::Error),
    #[error("{name:?} is neither a file nor a directory")]
    Kind { name: String },
    #[error("{name:?} is no path in a directory")]
    Path { name: String },
    #[error("{name:?} is there twice")]
    Twice { name: String },
    #[error("{name:?} lies in another directory than what was before it")]
    Stray { name: String },
    #[error("it has more than {limit} files and directories")]
    Files { limit: usize },
    #[error("{name:?} lies more than {limit} directories deep")]
    Depth { name: String, limit: usize },
    #[error("a path has more than {limit} bytes: {name:?}…")]
    Long { name: String, limit: usize },
    #[error("{name:?} has more than {} MiB", limit >> 20)]
    File { name: String, limit: u64 },
    #[error("all files have more than {} MiB together", limit >> 20)]
    All { limit: u64 },
    #[error("{name:?} cannot be used")]
    Document {
        name: String,
        #[source]
        source: Unusable,
    },
}

/// What a document's parser says.
pub(crate) type Unusable = Box<dyn std::error::Error + Send + Sync>;

impl Opened {
    /// Reads the files that are `wanted` by their paths, and looks at all others as closely.
    pub(crate) fn read(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, OpenError> {
        let wanted = |path: &str| path == MANIFEST || wanted(path);
        let unreadable = |source| OpenError::Unreadable { path: path.to_owned(), source };
        let is_directory = fs::metadata(path).map_err(unreadable)?.is_dir();
        let files = if is_directory {
            of_directory(path, &READ, &wanted)
        } else {
            unpack(File::open(path).map_err(unreadable)?, &READ, &wanted)
        };
        let refused = |source| OpenError::Refused { path: path.to_owned(), source };
        Self::of(files.map_err(refused)?).map_err(refused)
    }

    fn of(mut files: BTreeMap<String, Vec<u8>>) -> Result<Self, Refusal> {
        let manifest = files.remove(MANIFEST).map(|text| serde_json::from_slice(&text));
        let manifest = manifest.transpose().map_err(|source| Refusal::Document {
            name: MANIFEST.to_owned(),
            source: source.into(),
        })?;
        Ok(Self { files, manifest })
    }

    /// One of these files, without a manifest.
    #[cfg(test)]
    pub(crate) fn test<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Self { files: files.into(), manifest: None }
    }

    /// A file that was asked for.
    pub(crate) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Paths of the files that were asked for, in their order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A document; none, where it is not there.
    pub(crate) fn document(&self, path: &str) -> Result<Option<Value>, Refusal> {
        let Some(bytes) = self.file(path) else { return Ok(None) };
        let is_yaml = Path::new(path).extension().is_some_and(|kind| kind == "yaml");
        let read = if is_yaml { yaml(bytes) } else { json(bytes) };
        let unusable = |source| Refusal::Document { name: path.to_owned(), source };
        read.map(Some).map_err(unusable)
    }

    /// Why there is no file at a path, as the manifest says.
    pub(crate) fn why_missing(&self, path: &str) -> String {
        let entries = self.manifest.iter().flat_map(|manifest| &manifest.entries);
        let mut entries = entries.filter(|entry| entry.path.as_deref() == Some(path));
        let why = entries.find_map(|entry| entry.why.clone());
        why.unwrap_or_else(|| "it was not captured".to_owned())
    }

    /// What the manifest says of the bundle, where there is one.
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }
}

fn json(bytes: &[u8]) -> Result<Value, Unusable> {
    Ok(serde_json::from_slice(bytes)?)
}

/// What is captured has neither anchors nor aliases, by which a short text becomes a long one.
fn yaml(bytes: &[u8]) -> Result<Value, Unusable> {
    let budget = serde_yaml::budget! {
        max_aliases: 0,
        max_anchors: 0,
        max_nodes: YAML_NODES,
        max_events: 2 * YAML_NODES,
    };
    let options = serde_yaml::options! { with_snippet: false, budget: budget };
    Ok(serde_yaml::from_str_with_options(std::str::from_utf8(bytes)?, options)?)
}

/// The files that were taken so far, and what limits leave for others.
pub(super) struct Taken<'a> {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    limits: &'a Limits,
    count: usize,
    bytes: u64,
}

impl<'a> Taken<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { files: BTreeMap::new(), limits, count: 0, bytes: 0 }
    }

    /// Counts a file or directory, and looks at its path.
    pub(super) fn enter(&mut self, path: &str) -> Result<(), Refusal> {
        let Limits { files, depth, path_bytes, .. } = *self.limits;
        self.count += 1;
        let name = || path.to_owned();
        if self.count > files {
            return Err(Refusal::Files { limit: files });
        }
        if path.len() > path_bytes {
            let name = path[..path.floor_char_boundary(40)].to_owned();
            return Err(Refusal::Long { name, limit: path_bytes });
        }
        if path.split('/').count() > depth {
            return Err(Refusal::Depth { name: name(), limit: depth });
        }
        let is_good = |part: &str| !["", ".", ".."].contains(&part);
        if !path.split('/').all(is_good) || path.contains(|letter: char| letter.is_control()) {
            return Err(Refusal::Path { name: name() });
        }
        Ok(())
    }

    /// Counts the length of a file before it is read.
    pub(super) fn measure(&mut self, path: &str, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.limits.file_bytes {
            return Err(Refusal::File { name: path.to_owned(), limit: self.limits.file_bytes });
        }
        self.bytes += bytes;
        if self.bytes > self.limits.all_bytes {
            return Err(Refusal::All { limit: self.limits.all_bytes });
        }
        Ok(())
    }

    /// Keeps the content of a file.
    pub(super) fn keep(&mut self, path: String, content: Vec<u8>) -> Result<(), Refusal> {
        match self.files.insert(path.clone(), content) {
            None => Ok(()),
            Some(_) => Err(Refusal::Twice { name: path }),
        }
    }
}

/// Reads a directory. What a run is still writing may be read in part.
fn of_directory(
    directory: &Path,
    limits: &Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    // Somebody's home would be walked to its last file only to be refused.
    if ![JOURNAL, MANIFEST].iter().any(|name| directory.join(name).is_file()) {
        return Err(Refusal::Empty);
    }
    let mut taken = Taken::new(limits);
    walk(directory, "", &mut taken, wanted)?;
    Ok(taken.files)
}

fn walk(
    directory: &Path,
    above: &str,
    taken: &mut Taken<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    for entry in fs::read_dir(directory).map_err(Refusal::Damaged)? {
        let entry = entry.map_err(Refusal::Damaged)?;
        let path = format!("{above}{}", entry.file_name().to_string_lossy());
        taken.enter(&path)?;
        let kind = entry.file_type().map_err(Refusal::Damaged)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), taken, wanted)?;
        } else if !kind.is_file() {
            return Err(Refusal::Kind { name: path });
        } else {
            let length = entry.metadata().map_err(Refusal::Damaged)?.len();
            taken.measure(&path, length)?;
            if wanted(&path) {
                let mut content = Vec::new();
                let file = open_file(&entry.path()).map_err(Refusal::Damaged)?;
                file.take(length).read_to_end(&mut content).map_err(Refusal::Damaged)?;
                taken.keep(path, content)?;
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

    fn all(path: &Path) -> Result<Opened, String> {
        Opened::read(path, |_| true).map_err(|error| crate::chain::chain(&error))
    }

    // Both forms of the same: the archive is made as bundles are.
    #[test]
    fn a_directory_and_its_archive_are_the_same_bundle() {
        let place = place();
        let directory = place.path().join("295-I3-20260101T000000Z");
        let logs = directory.join("world/engine/logs");
        fs::create_dir_all(&logs).expect("a new directory");
        fs::write(directory.join(JOURNAL), "1\n").expect("a new file");
        // With its directory it is longer than the hundred bytes that a header has for a path.
        let log = format!("world/engine/logs/{}.log", "a".repeat(64));
        fs::write(directory.join(&log), "stdout 1 one\n").expect("a new file");
        super::super::archive::archive(&directory).expect("room for an archive");
        for path in [directory.clone(), directory.with_extension("tar.zst")] {
            let opened = all(&path).expect("a bundle");
            assert_eq!(opened.paths().collect::<Vec<_>>(), [JOURNAL, log.as_str()]);
            assert_eq!(opened.file(&log), Some(b"stdout 1 one\n".as_slice()));
            let journal = Opened::read(&path, |path| path == JOURNAL).expect("a bundle");
            assert_eq!(journal.paths().collect::<Vec<_>>(), [JOURNAL]);
        }
    }

    // A link to a file outside, one to a directory, and a pipe, on which a read would wait for ever.
    #[test]
    fn what_is_neither_file_nor_directory_is_refused_where_it_lies() {
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
    fn what_is_no_bundle_at_all_is_refused() {
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

    // Ten levels of ten aliases each are ten thousand million nodes.
    #[test]
    fn a_document_that_grows_when_it_is_read_is_refused() {
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..=10 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{below}]\n");
        }
        assert!(yaml(bomb.as_bytes()).is_err());
        assert!(yaml(b"kind: List\nitems: []\n").is_ok());
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert!(yaml(&deep).is_err() && json(&deep).is_err());
    }
}
