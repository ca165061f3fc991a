//! The file of a state: a line of JSON for each thing that a search has done.
//!
//! A search only appends, one whole line at a time. So a search that is killed loses nothing but the plans
//! that were running, and several searches may write to one file at once. A last line that is not whole is
//! ignored, and removed by the next search.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::state::{Entry, State};
use crate::derived::replace;

/// Name of the file, if the user names none.
pub(crate) const STATE: &str = "search.jsonl";

/// What the first line says that the file is.
const KIND: &str = "state of racetrap search";

/// The version of the format.
const VERSION: u32 = 2;

/// Largest file that is read, in bytes: some hundred hours of searching.
const SIZE_MAX: u64 = 1 << 30;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    file: String,
    version: u32,
}

impl Head {
    fn new() -> Self {
        Self { file: KIND.to_owned(), version: VERSION }
    }
}

/// Any other line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Which search has written it.
    session: String,
    #[serde(flatten)]
    entry: Entry,
}

/// A file that is no state, or cannot be used as one.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum StateError {
    #[error("{} could not be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not the state of a search", path.display())]
    #[diagnostic(help("name the file that `racetrap search --state FILE` has written"))]
    Foreign { path: PathBuf },
    #[error("{} has version {version} of the state of a search, and this racetrap reads {VERSION}", path.display())]
    Newer { path: PathBuf, version: u32 },
    #[error("{} has version {version} of the state of a search, and this racetrap reads {VERSION}", path.display())]
    #[diagnostic(help(
        "that version names failures by lines of a source that has changed: keep the file as it is, and begin a \
         new one by `--state FILE`"
    ))]
    Older { path: PathBuf, version: u32 },
    #[error("line {line} of {} is damaged: {why}", path.display())]
    #[diagnostic(help("the lines before it are whole: keep those, or remove the file"))]
    Damaged { path: PathBuf, line: usize, why: String },
    #[error("{} could not be written", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl State {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, StateError> {
        let unreadable = |source| StateError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut reader = BufReader::new(file.take(SIZE_MAX));
        let mut state = Self::default();
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(unreadable)?;
            let is_whole = text.last() == Some(&b'\n');
            if number == 1 {
                // A first line that was cut off is not known to be ours.
                check_head(path, &text, is_whole)?;
            } else if !is_whole {
                // What was being written when the search was killed.
                break;
            } else {
                let damaged =
                    |why: String| StateError::Damaged { path: path.to_owned(), line: number, why };
                let Line { session, entry } =
                    serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
                state.add(session, entry).map_err(|why| damaged(why.to_owned()))?;
            }
            if length == 0 {
                break;
            }
        }
        Ok(state)
    }

    /// Reads a file; the state is empty if there is none, or if nothing is in it.
    pub(crate) fn read_if_there(path: &Path) -> Result<Self, StateError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() == 0 => Ok(Self::default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Ok(_) | Err(_) => Self::read(path),
        }
    }

    /// Writes all of it to a file, which it replaces at once.
    pub(crate) fn write(&self, path: &Path) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let mut text = as_line(&Head::new())?;
            for session in &self.sessions {
                for entry in session.clone().into_entries() {
                    text += &as_line(&Line { session: session.id.clone(), entry })?;
                }
            }
            let path = std::path::absolute(path)?;
            let name = path.file_name().and_then(|name| name.to_str());
            let (Some(directory), Some(name)) = (path.parent(), name) else {
                return Err(io::Error::other("this is no name of a file"));
            };
            fs::create_dir_all(directory)?;
            replace(directory, name, text.as_bytes())
        };
        write().map_err(|source| StateError::Unwritable { path: path.to_owned(), source })
    }
}

fn check_head(path: &Path, text: &[u8], is_whole: bool) -> Result<(), StateError> {
    let path = path.to_owned();
    match serde_json::from_slice::<Head>(text) {
        Ok(head) if head.file != KIND || !is_whole => Err(StateError::Foreign { path }),
        Ok(Head { version, .. }) if version < VERSION => Err(StateError::Older { path, version }),
        Ok(Head { version, .. }) if version > VERSION => Err(StateError::Newer { path, version }),
        Ok(_) => Ok(()),
        Err(_) => Err(StateError::Foreign { path }),
    }
}

fn as_line(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// Appends what one search does to a file.
#[derive(Debug)]
pub(crate) struct StateWriter {
    file: File,
    session: String,
}

impl StateWriter {
    /// Opens the file, which must be a state if it has anything in it, and makes it if it is not there.
    pub(crate) fn open(path: &Path, session: String) -> Result<Self, StateError> {
        let open = || -> io::Result<File> {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory)?;
            }
            let mut file = File::options().read(true).append(true).create(true).open(path)?;
            // Another search that begins now must not write the first line as well.
            file.lock()?;
            let whole = whole_lines(&mut file)?;
            if whole == 0 {
                file.set_len(0)?;
                file.write_all(as_line(&Head::new())?.as_bytes())?;
            } else if whole < file.metadata()?.len() {
                file.set_len(whole)?;
            }
            file.unlock()?;
            Ok(file)
        };
        let file =
            open().map_err(|source| StateError::Unwritable { path: path.to_owned(), source })?;
        Ok(Self { file, session })
    }

    /// Appends one line.
    pub(crate) fn add(&mut self, entry: Entry) -> io::Result<()> {
        let line = as_line(&Line { session: self.session.clone(), entry })?;
        // One call, so that lines of other searches do not mix with it.
        self.file.write_all(line.as_bytes())
    }
}

/// The length of a file up to its last end of a line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const PART: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let begin = end.saturating_sub(PART);
        let mut part = Vec::new();
        file.seek(io::SeekFrom::Start(begin))?;
        io::Read::by_ref(file).take(end - begin).read_to_end(&mut part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}
