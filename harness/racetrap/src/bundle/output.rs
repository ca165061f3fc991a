//! Where a collector writes the files that it finds. Each file is masked, must be within the
//! limits, and gets an entry in the manifest.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::time::Instant;

use super::layout::is_yaml;
use super::limits::{ALL_MAX, FILE_MAX, check_length};
use super::manifest::{Entry, State, sort};
use crate::mask::{DocumentKind, Hits, LineMasker, Location, Masker};

/// The content of a file, by how its secrets are masked.
pub(super) enum Content {
    /// A document of a kind whose secrets have known locations.
    Document(DocumentKind, Value),
    /// Any other JSON or YAML.
    Json(Value),
    /// Text, masked line by line.
    Text(String),
    /// Text that the collector has masked itself.
    Masked(String, Hits),
}

/// The files of one capture. All collectors of the capture write to the same store.
#[derive(Clone)]
pub(super) struct Store(Arc<Inner>);

struct Inner {
    directory: PathBuf,
    /// The name of `directory` in the bundle.
    name: &'static str,
    masker: Masker,
    stored: Mutex<Stored>,
}

#[derive(Default)]
struct Stored {
    entries: Vec<Entry>,
    bytes: u64,
}

/// The part of a [`Store`] that one collector writes to. After [`CollectorOutput::close`] it stores
/// nothing more, because a collector that hangs on a thread cannot be stopped.
#[derive(Clone)]
pub(super) struct CollectorOutput {
    store: Store,
    collector: &'static str,
    began: Instant,
    closed: Arc<AtomicBool>,
}

impl Store {
    /// Stores files in `directory`, which exists and is called `name` in the bundle.
    pub(super) fn new(directory: PathBuf, name: &'static str, masker: Masker) -> Self {
        Self(Arc::new(Inner { directory, name, masker, stored: Mutex::default() }))
    }

    /// The output of a collector that begins now.
    pub(super) fn output(&self, collector: &'static str) -> CollectorOutput {
        let (store, began) = (self.clone(), Instant::now());
        CollectorOutput { store, collector, began, closed: Arc::default() }
    }

    /// All entries up to now, sorted for a manifest.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = self.stored().entries.clone();
        sort(&mut entries);
        entries
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.stored.lock().expect("nothing panics while it holds the store")
    }
}

impl CollectorOutput {
    /// Stores a file at `path`, relative to the store. A file that cannot be stored is entered as
    /// missing.
    pub(super) fn put(&self, path: &str, content: Content) {
        self.store_file(path, content, None);
    }

    /// Stores a file that is incomplete, with the reason.
    pub(super) fn put_part(&self, path: &str, content: Content, why: impl Into<String>) {
        self.store_file(path, content, Some(why.into()));
    }

    fn store_file(&self, path: &str, content: Content, why: Option<String>) {
        let (text, hits) = match self.render(path, content) {
            Ok(rendered) => rendered,
            Err(why) => return self.missing(path, why),
        };
        if self.closed.load(Ordering::SeqCst) {
            return;
        }
        let bytes = text.len() as u64;
        // Collectors run side by side: two files that fit one by one may exceed the sum together.
        // The limit keeps bundles small and need not be exact.
        if self.store.stored().bytes + bytes > ALL_MAX {
            let most = ALL_MAX >> 20;
            return self.missing(path, format!("all files together would have over {most} MiB"));
        }
        let state = State::of_file(why.is_some(), &hits);
        match write(&self.store.0.directory.join(path), text.as_bytes()) {
            Ok(()) => {
                let masked = hits.by_rule();
                self.enter(Entry { state, why, bytes, masked, ..self.entry(Some(path)) });
            }
            Err(error) => self.missing(path, format!("could not be written: {error}")),
        }
    }

    /// Enters the file at `path` as missing, with the reason.
    pub(super) fn missing(&self, path: &str, why: impl ToString) {
        self.enter(Entry { why: Some(why.to_string()), ..self.entry(Some(path)) });
    }

    /// Stores nothing from now on. If the collector did not end by itself, `why` says what
    /// happened, and gets an entry. A file that the collector is just writing gets no entry, so the
    /// capture removes it.
    pub(super) fn close(&self, why: Option<String>) {
        if why.is_some() {
            self.enter(Entry { why, ..self.entry(None) });
        }
        // Under the lock, so that `enter` in another thread comes either wholly before or after.
        let _stored = self.store.stored();
        self.closed.store(true, Ordering::SeqCst);
    }

    fn enter(&self, mut entry: Entry) {
        // An error may quote the text that could not be read.
        entry.why = entry.why.map(|why| self.masker().message(&why));
        let mut stored = self.store.stored();
        if !self.closed.load(Ordering::SeqCst) {
            stored.bytes += entry.bytes;
            stored.entries.push(entry);
        }
    }

    /// The masker of the run, for collectors that produce [`Content::Masked`].
    pub(super) fn masker(&self) -> &Masker {
        &self.store.0.masker
    }

    /// An entry for something that is missing, still without the reason.
    fn entry(&self, path: Option<&str>) -> Entry {
        let path = path.map(|path| format!("{}/{path}", self.store.0.name));
        let seconds = self.began.elapsed().as_secs_f64();
        Entry { seconds, why: None, ..Entry::missing(self.collector, path, String::new()) }
    }

    /// Returns the masked text of a file and what was masked, or the reason why there is no file.
    fn render(&self, path: &str, content: Content) -> Result<(String, Hits), String> {
        let mut hits = Hits::default();
        let text = match content {
            Content::Document(kind, mut value) => {
                hits = self.masker().document(kind, &mut value).map_err(|left| left.to_string())?;
                serialize(path, &value)?
            }
            Content::Json(mut value) => {
                self.masker().tree(&mut value, &Location::ROOT, &mut hits);
                serialize(path, &value)?
            }
            Content::Text(text) => mask_lines(self.masker(), &text, &mut hits),
            Content::Masked(text, masked) => {
                hits = masked;
                text
            }
        };
        // After masking, because a mask may be longer than its secret.
        check_length(text.len() as u64, FILE_MAX)?;
        Ok((text, hits))
    }
}

fn mask_lines(masker: &Masker, text: &str, hits: &mut Hits) -> String {
    let mut lines = LineMasker::new(masker.clone());
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        masked.push_str(&lines.numbered_line(line, hits));
    }
    masked
}

/// A document as YAML or JSON, by the extension of its path.
fn serialize(path: &str, value: &Value) -> Result<String, String> {
    if is_yaml(path) {
        return serde_yaml::to_string(value).map_err(|error| error.to_string());
    }
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// Writes a file and flushes it to disk.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        // Half a file is no file of the bundle. The file may not even exist.
        let _ = fs::remove_file(path);
    }
    written
}
