//! The files of a bundle while they are read: counts them against the limits and rejects everything
//! that no bundle has.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;

use super::limits::Limits;
use super::manifest::MANIFEST;
use crate::derived::JOURNAL;

/// How much of a path that is too long an error quotes, in bytes.
const QUOTED_MAX: usize = 40;

/// Something that no bundle of this harness has. Messages quote names with escapes, so that a name
/// cannot send commands to a terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidBundle {
    #[error("it has neither {JOURNAL} nor {MANIFEST}")]
    Empty,
    #[error("it is no archive, or a damaged one")]
    Damaged(#[source] io::Error),
    #[error("{name:?} is neither a file nor a directory")]
    Kind { name: String },
    #[error("{name:?} is not a path inside the bundle")]
    Path { name: String },
    #[error("{name:?} is there twice")]
    Twice { name: String },
    #[error("{name:?} is in another directory than the entries before it")]
    Stray { name: String },
    #[error("it has more than {limit} files and directories")]
    Files { limit: usize },
    #[error("{name:?} is more than {limit} directories deep")]
    Depth { name: String, limit: usize },
    #[error("a path has more than {limit} bytes: {name:?}…")]
    Long { name: String, limit: usize },
    #[error("{name:?} has more than {} MiB", limit >> 20)]
    File { name: String, limit: u64 },
    #[error("all files have more than {} MiB together", limit >> 20)]
    All { limit: u64 },
    #[error("{name:?} cannot be parsed")]
    Document {
        name: String,
        #[source]
        source: ParseError,
    },
}

/// The error of a document's parser.
pub(crate) type ParseError = Box<dyn Error + Send + Sync>;

impl InvalidBundle {
    /// The error for a path of more than `limit` bytes, of which only the beginning is quoted.
    pub(super) fn long_path(path: &[u8], limit: usize) -> Self {
        let name = String::from_utf8_lossy(path);
        let name = name[..name.floor_char_boundary(QUOTED_MAX)].to_owned();
        Self::Long { name, limit }
    }
}

/// The files that were kept so far, and what the limits leave for the rest.
pub(super) struct LimitedFiles<'a> {
    /// Contents by path.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    limits: &'a Limits,
    count: usize,
    bytes: u64,
}

impl<'a> LimitedFiles<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { files: BTreeMap::new(), limits, count: 0, bytes: 0 }
    }

    /// Counts a file or directory and checks its path.
    pub(super) fn count_entry(&mut self, path: &str) -> Result<(), InvalidBundle> {
        let Limits { files, depth, path_bytes, .. } = *self.limits;
        self.count += 1;
        let name = || path.to_owned();
        if self.count > files {
            return Err(InvalidBundle::Files { limit: files });
        }
        if path.len() > path_bytes {
            return Err(InvalidBundle::long_path(path.as_bytes(), path_bytes));
        }
        if path.split('/').count() > depth {
            return Err(InvalidBundle::Depth { name: name(), limit: depth });
        }
        // Also rejects an absolute path: its first part is empty.
        let is_valid = |part: &str| !["", ".", ".."].contains(&part);
        if !path.split('/').all(is_valid) || path.contains(|letter: char| letter.is_control()) {
            return Err(InvalidBundle::Path { name: name() });
        }
        Ok(())
    }

    /// Counts the length of a file, before the file is read.
    pub(super) fn count_bytes(&mut self, path: &str, bytes: u64) -> Result<(), InvalidBundle> {
        if bytes > self.limits.file_bytes {
            return Err(InvalidBundle::File {
                name: path.to_owned(),
                limit: self.limits.file_bytes,
            });
        }
        self.bytes += bytes;
        if self.bytes > self.limits.all_bytes {
            return Err(InvalidBundle::All { limit: self.limits.all_bytes });
        }
        Ok(())
    }

    /// Keeps the content of a file.
    pub(super) fn keep(&mut self, path: String, content: Vec<u8>) -> Result<(), InvalidBundle> {
        match self.files.insert(path.clone(), content) {
            None => Ok(()),
            Some(_) => Err(InvalidBundle::Twice { name: path }),
        }
    }
}
