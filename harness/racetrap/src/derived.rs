//! What an evidence directory holds beside its journal that is a function of it: written by the run
//! itself, by the watcher where the harness was killed, and anew by `racetrap report`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;

use racetrap_history::journal::{self, JournalError};
use racetrap_history::{Judgement, Record, RunHeader, What, judge, timeline};

use crate::timeline::{timeline_page, trace};

/// Name of the journal in an evidence directory.
pub(crate) const JOURNAL: &str = "journal.jsonl";

/// Name of the history for people.
pub(crate) const TIMELINE: &str = "timeline.txt";

/// Name of the history as a page for a browser.
pub(crate) const PAGE: &str = "timeline.html";

/// Name of the history for viewers of traces.
pub(crate) const TRACE: &str = "trace.json";

/// Name of the verdict for programs.
pub(crate) const VERDICT: &str = "verdict.json";

/// A journal that was read, and what the oracles of today say of it.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    /// What was run on what.
    pub(crate) header: RunHeader,
    /// The history, up to where the journal ends.
    pub(crate) history: Vec<Record>,
    /// Verdict and reasons.
    pub(crate) judgement: Judgement,
}

/// Why nothing can be made of an evidence directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRebuilt {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not begin with what was run.
    #[error("the journal does not say what was run: it has no first record, or another one")]
    Headless,
    /// The directory cannot be written to.
    #[error("the directory cannot be written to")]
    Unwritable(#[source] io::Error),
}

/// Writes all of it, each file at once: what is read there is never half of it.
pub(crate) fn write(directory: &Path, history: &[Record], verdict: &Judgement) -> io::Result<()> {
    let text = timeline::lines(history).join("\n") + "\n";
    replace(directory, TIMELINE, text.as_bytes())?;
    replace(directory, VERDICT, &serde_json::to_vec_pretty(verdict)?)?;
    replace(directory, PAGE, timeline_page(history, verdict).as_bytes())?;
    replace(directory, TRACE, trace(history, verdict).as_bytes())
}

impl Rebuilt {
    /// Judges a journal, and writes nothing.
    pub(crate) fn of(journal: impl BufRead) -> Result<Self, NotRebuilt> {
        let history = journal::read(journal)?.records;
        let Some(What::Run(header)) = history.first().map(|record| &record.what) else {
            return Err(NotRebuilt::Headless);
        };
        let header = header.clone();
        let judgement = judge(&history);
        Ok(Self { header, history, judgement })
    }
}

/// Judges the journal in a directory, and writes all of it anew.
pub(crate) fn rebuild(directory: &Path) -> Result<Rebuilt, NotRebuilt> {
    let file = File::open(directory.join(JOURNAL)).map_err(JournalError::from)?;
    let rebuilt = Rebuilt::of(BufReader::new(file))?;
    write(directory, &rebuilt.history, &rebuilt.judgement).map_err(NotRebuilt::Unwritable)?;
    Ok(rebuilt)
}

/// Puts a file in the place of one that may be there. A link that somebody put there is replaced, and
/// not followed.
pub(crate) fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = directory.join(format!(".{name}.part"));
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = File::create_new(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The link leads out of the directory; what it leads to must be as it was.
    #[test]
    fn a_file_takes_the_place_of_a_link_and_not_of_what_it_leads_to() {
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
}
