//! Where collectors put what they find: masked, within limits, each as one file with one entry.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::time::Instant;

use super::limits::{ALL_MAX, FILE_MAX};
use super::manifest::{Entry, State};
use crate::mask::{DocumentKind, Hits, Lines, Masker, Place};

/// What a collector found.
pub(super) enum Content {
    /// A document of a kind whose secrets are known by their places.
    Document(DocumentKind, Value),
    /// Any other JSON.
    Json(Value),
    /// Text, a line each.
    Text(String),
    /// Text that its collector has masked.
    Masked(String, Hits),
}

/// The files of one capture; shelves of several collectors are of the same store.
#[derive(Clone)]
pub(super) struct Store(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    /// What the directory is called in the bundle.
    name: &'static str,
    masker: Masker,
    state: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    bytes: u64,
}

/// The place of one collector in a store.
#[derive(Clone)]
pub(super) struct Shelf {
    store: Store,
    collector: &'static str,
    began: Instant,
    closed: Arc<AtomicBool>,
}

impl Store {
    /// Keeps files in `directory`, which exists, and is called `name` in the bundle.
    pub(super) fn new(directory: PathBuf, name: &'static str, masker: Masker) -> Self {
        Self(Arc::new(Inner { directory, name, masker, state: Mutex::default() }))
    }

    /// A place for a collector that begins now.
    pub(super) fn shelf(&self, collector: &'static str) -> Shelf {
        let (store, began) = (self.clone(), Instant::now());
        Shelf { store, collector, began, closed: Arc::default() }
    }

    /// What is there by now, in the order of the paths.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = self.kept().entries.clone();
        entries.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
        entries
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.state.lock().expect("nothing panics while it holds the store")
    }
}

impl Shelf {
    /// Keeps a file at `path` below the store's directory; what cannot be kept is told as missing.
    pub(super) fn put(&self, path: &str, content: Content) {
        self.keep(path, content, None);
    }

    /// Keeps what is not all of a file, and says why it is not.
    pub(super) fn put_part(&self, path: &str, content: Content, why: impl Into<String>) {
        self.keep(path, content, Some(why.into()));
    }

    fn keep(&self, path: &str, content: Content, why: Option<String>) {
        let (text, hits) = match self.render(path, content) {
            Ok(rendered) => rendered,
            Err(why) => return self.missing(path, why),
        };
        if self.closed.load(Ordering::SeqCst) {
            return;
        }
        let bytes = text.len() as u64;
        if self.store.kept().bytes + bytes > ALL_MAX {
            let most = ALL_MAX >> 20;
            return self.missing(path, format!("all files together would have over {most} MiB"));
        }
        let state = match (&why, hits.is_empty()) {
            (Some(_), _) => State::Truncated,
            (None, false) => State::Masked,
            (None, true) => State::There,
        };
        match write(&self.store.0.directory.join(path), text.as_bytes()) {
            Ok(()) => {
                let masked = hits.told();
                self.enter(Entry { state, why, bytes, masked, ..self.entry(Some(path)) });
            }
            Err(error) => self.missing(path, format!("could not be written: {error}")),
        }
    }

    /// Says that there is no file at `path`, and why.
    pub(super) fn missing(&self, path: &str, why: impl ToString) {
        self.enter(Entry { why: Some(why.to_string()), ..self.entry(Some(path)) });
    }

    /// Takes nothing from here on; where the collector did not end by itself, `why` says how it did.
    /// A file that it is just writing has no entry, and goes with whatever else has none.
    pub(super) fn close(&self, why: Option<String>) {
        if why.is_some() {
            self.enter(Entry { why, ..self.entry(None) });
        }
        let _kept = self.store.kept();
        self.closed.store(true, Ordering::SeqCst);
    }

    fn enter(&self, mut entry: Entry) {
        // An error may quote what it could not read.
        entry.why = entry.why.map(|why| self.masker().words(&why));
        let mut kept = self.store.kept();
        if !self.closed.load(Ordering::SeqCst) {
            kept.bytes += entry.bytes;
            kept.entries.push(entry);
        }
    }

    /// Masks what its collector shows in its own way.
    pub(super) fn masker(&self) -> &Masker {
        &self.store.0.masker
    }

    /// An entry of something that is missing.
    fn entry(&self, path: Option<&str>) -> Entry {
        let path = path.map(|path| format!("{}/{path}", self.store.0.name));
        let seconds = self.began.elapsed().as_secs_f64();
        Entry { seconds, why: None, ..Entry::missing(self.collector, path, String::new()) }
    }

    /// The text of a file, and what was masked in it; or why there is none.
    fn render(&self, path: &str, content: Content) -> Result<(String, Hits), String> {
        let mut hits = Hits::default();
        let text = match content {
            Content::Document(kind, mut value) => {
                hits = self.masker().document(kind, &mut value).map_err(|left| left.to_string())?;
                document(path, &value)?
            }
            Content::Json(mut value) => {
                self.masker().tree(&mut value, &Place::ROOT, &mut hits);
                document(path, &value)?
            }
            Content::Text(text) => mask_lines(self.masker(), &text, &mut hits),
            Content::Masked(text, masked) => {
                hits = masked;
                text
            }
        };
        if text.len() > FILE_MAX {
            return Err(format!("it has {} bytes, and {FILE_MAX} are the most", text.len()));
        }
        Ok((text, hits))
    }
}

/// Masks a text line by line, as it is long.
pub(super) fn mask_lines(masker: &Masker, text: &str, hits: &mut Hits) -> String {
    let mut lines = Lines::new(masker.clone());
    let mut masked = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        masked.push_str(&mask_line(&mut lines, line, index + 1, hits));
    }
    masked
}

/// Masks the next line of a text, with its end.
pub(super) fn mask_line(lines: &mut Lines, line: &str, number: usize, hits: &mut Hits) -> String {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let masked = lines.line(body, &Place::ROOT.line(number), hits);
    masked.into_owned() + &line[body.len()..]
}

/// A document as its file's name says.
fn document(path: &str, value: &Value) -> Result<String, String> {
    let is_yaml = Path::new(path).extension().is_some_and(|kind| kind == "yaml");
    if is_yaml {
        return serde_yaml::to_string(value).map_err(|error| error.to_string());
    }
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// Writes a file that is on disk when this returns.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        // What is there of it is no file of the bundle; it may not even be there.
        let _ = fs::remove_file(path);
    }
    written
}
