//! Files of an evidence directory that are functions of its journal. The run writes them; the
//! watcher does if the harness was killed; and `racetrap report` writes them again.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;

use racetrap_history::journal::{self, JournalError};
use racetrap_history::{Judgement, Record, RunHeader, What, judge, timeline};

use crate::timeline::{Beside, timeline_page, trace};

/// Name of the journal in an evidence directory.
pub(crate) const JOURNAL: &str = "journal.jsonl";

/// Name of the history as text.
pub(crate) const TIMELINE: &str = "timeline.txt";

/// Name of the history as a page for a browser.
pub(crate) const PAGE: &str = "timeline.html";

/// Name of the history as a trace, for trace viewers.
pub(crate) const TRACE: &str = "trace.json";

/// Name of the verdict as JSON.
pub(crate) const VERDICT: &str = "verdict.json";

/// The most entries of an evidence directory to which the page leads.
const FILES_MAX: usize = 64;

/// The most bytes of a file whose lines the page knows.
const TEXT_MAX: u64 = 8 << 20;

/// A journal, and the judgement of the present oracles on it.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    /// The scenario, the daemon and the engine of the run.
    pub(crate) header: RunHeader,
    /// The history, up to the journal's last complete record.
    pub(crate) history: Vec<Record>,
    /// Verdict and reasons.
    pub(crate) judgement: Judgement,
}

/// An evidence directory could not be judged or written to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRebuilt {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not begin with the header of a run.
    #[error("the journal does not say what was run: it has no first record, or another one")]
    Headless,
    /// The directory cannot be written to.
    #[error("the directory cannot be written to")]
    Unwritable(#[source] io::Error),
}

/// Writes all derived files. Each is replaced as a whole, so that no reader finds half of one.
pub(crate) fn write(directory: &Path, history: &[Record], verdict: &Judgement) -> io::Result<()> {
    let text = timeline::lines(history).join("\n") + "\n";
    replace(directory, TIMELINE, text.as_bytes())?;
    replace(directory, VERDICT, &serde_json::to_vec_pretty(verdict)?)?;
    replace(directory, TRACE, trace(history, verdict).as_bytes())?;
    // Last, because the page has links to the files that are there.
    let page = timeline_page(history, verdict, &beside(directory)?);
    replace(directory, PAGE, page.as_bytes())
}

/// The files in an evidence directory. It may come from somebody else, so links are left out, and so
/// are texts that are too long.
fn beside(directory: &Path) -> io::Result<Beside> {
    let mut beside = Beside::default();
    for entry in fs::read_dir(directory)?.take(FILES_MAX) {
        let entry = entry?;
        let kind = entry.file_type()?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // A hidden file is half of one, and the page itself needs no link.
        if name.starts_with('.') || name == PAGE {
            continue;
        }
        if kind.is_dir() {
            beside.names.push(format!("{name}/"));
        } else if kind.is_file() {
            let is_read = name == "scenario.yaml" || name.ends_with(".log");
            if is_read && entry.metadata()?.len() <= TEXT_MAX {
                let text = fs::read(entry.path())?;
                beside.texts.insert(name.clone(), String::from_utf8_lossy(&text).into_owned());
            }
            beside.names.push(name);
        }
    }
    beside.names.sort_unstable();
    Ok(beside)
}

impl Rebuilt {
    /// Judges a journal. Writes nothing.
    pub(crate) fn from_journal(journal: impl BufRead) -> Result<Self, NotRebuilt> {
        let history = journal::read(journal)?.records;
        let Some(What::Run(header)) = history.first().map(|record| &record.what) else {
            return Err(NotRebuilt::Headless);
        };
        let header = header.clone();
        let judgement = judge(&history);
        Ok(Self { header, history, judgement })
    }
}

/// Judges the journal in a directory, and writes all derived files again.
pub(crate) fn rebuild(directory: &Path) -> Result<Rebuilt, NotRebuilt> {
    let file = File::open(directory.join(JOURNAL)).map_err(JournalError::from)?;
    let rebuilt = Rebuilt::from_journal(BufReader::new(file))?;
    write(directory, &rebuilt.history, &rebuilt.judgement).map_err(NotRebuilt::Unwritable)?;
    Ok(rebuilt)
}

/// Writes a file, and replaces one of that name. A link of that name is replaced too, and not
/// followed: the directory may come from somebody else, with links that lead out of it.
pub(crate) fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = directory.join(format!(".{name}.part"));
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // `create_new` does not follow a link that was created since.
    let mut file = File::create_new(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links lead out of the directory, to a file that must not change.
    #[test]
    fn a_link_is_replaced_and_its_target_is_not() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let directory = place.path().join("evidence");
        let outside = place.path().join("outside");
        fs::create_dir(&directory).expect("a new directory");
        fs::write(&outside, "mine").expect("a new file");
        for name in [VERDICT, ".verdict.json.part"] {
            std::os::unix::fs::symlink(&outside, directory.join(name)).expect("a new link");
        }
        replace(&directory, VERDICT, b"{}").expect("it can be written");
        assert_eq!(fs::read(directory.join(VERDICT)).expect("it is there"), b"{}");
        assert_eq!(fs::read(&outside).expect("it is there"), b"mine");
        assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 1);
    }

    // A link may lead to a file of the user, whose text must not get into the page.
    #[test]
    fn the_page_leads_to_files_and_directories_and_not_to_links() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| place.path().join(name);
        for name in ["scenario.yaml", "engine.log", "trace.json", ".part", PAGE] {
            fs::write(path(name), name).expect("a new file");
        }
        fs::create_dir(path("world")).expect("a new directory");
        std::os::unix::fs::symlink("/etc/passwd", path("daemon-a.log")).expect("a new link");
        let beside = beside(place.path()).expect("it can be read");
        assert_eq!(beside.names, ["engine.log", "scenario.yaml", "trace.json", "world/"]);
        let texts: Vec<_> = beside.texts.keys().map(String::as_str).collect();
        assert_eq!(texts, ["engine.log", "scenario.yaml"]);
    }
}
