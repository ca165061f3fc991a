//! Every change of the configuration, in the history.
//!
//! The kernel queues what happens as it happens, and each look takes all of it: in a task that waits
//! for it, and wherever the harness goes on, so that nothing is recorded after what it came before.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use std::{fs, io};

use racetrap_history::{CONFIG_FILE, DockerContent, DockerFile, FileChange, What};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::content::Reader;
use super::place::Place;
use super::strike::{Blow, Pending, Strike};
use crate::recorder::Recorder;
use crate::sys::{DirectoryWatch, FileEvent, FileEventKind, OpenGate};
use crate::wait::polled;

/// How long the other programs of this user may leave no room for a watcher of files: longer than a run in
/// which a daemon keeps a thousand logs open (323-I1k).
const ROOM_LIMIT: Duration = Duration::from_secs(60);

/// Contexts below the configuration's directory.
const CONTEXTS: &str = "contexts";

/// Watches the configuration of one world; clones watch the same.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Mutex<Looking>>);

struct Looking {
    place: Place,
    directories: DirectoryWatch,
    /// The directory that `config.json` leads to, and the name there.
    link: Option<(PathBuf, String)>,
    reader: Reader,
    /// Each context that is there, by its directory.
    contexts: BTreeMap<String, (String, DockerContent)>,
    strike: Option<Pending>,
    recorder: Recorder,
}

impl Watch {
    /// Makes the configuration's directory, and watches it in a task.
    pub(crate) async fn start(
        place: Place,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let directories = polled("room for one more watcher of files", ROOM_LIMIT, async || {
            match DirectoryWatch::new().transpose() {
                Some(made) => ControlFlow::Break(made),
                None => ControlFlow::Continue("other programs of this user have all".to_owned()),
            }
        });
        let mut directories = directories.await.map_err(io::Error::other)??;
        let both = [Some(&place.directory), place.other.as_ref()];
        for directory in both.into_iter().flatten() {
            fs::create_dir_all(directory)?;
            directories.watch(directory)?;
        }
        let handle = directories.handle()?;
        let watch = Self(Arc::new(Mutex::new(Looking {
            place,
            directories,
            link: None,
            reader: Reader::default(),
            contexts: BTreeMap::new(),
            strike: None,
            recorder: recorder.clone(),
        })));
        let looking = watch.clone();
        tasks.spawn(async move {
            while let Ok(mut ready) = handle.readable().await {
                // First, so that what comes during the look wakes this task again.
                ready.clear_ready();
                looking.look();
            }
        });
        Ok(watch)
    }

    /// Tells what is there as a run begins.
    pub(crate) fn begin(&self) {
        let mut looking = self.looking();
        looking.take(false);
        looking.recorder.append(What::DockerUser(looking.place.user.clone()));
        let holds = looking.reader.config(&looking.config());
        looking.tell(CONFIG_FILE, FileChange::Found, false, holds);
        looking.contexts.clear();
        looking.look_at_contexts(FileChange::Found, false);
    }

    /// Records what has happened up to now.
    pub(crate) fn look(&self) {
        self.looking().take(false);
    }

    /// Does something as the user would, so that the history tells it from what others do.
    pub(crate) fn as_user<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut looking = self.looking();
        looking.take(false);
        let acted = act();
        looking.follow_link()?;
        looking.take(true);
        acted
    }

    /// Does something to this process at the instant at which it begins to write the configuration.
    ///
    /// # Errors
    /// Where nobody can be held who opens a file.
    pub(crate) fn strike_at_write(&self, pid: u32, blow: Blow) -> io::Result<Strike> {
        let mut looking = self.looking();
        looking.take(false);
        let (sender, reached) = watch::channel(false);
        let pending = Pending { blow: Arc::new(Mutex::new(Some(blow))), reached: sender };
        let at_gate = pending.reached.clone();
        let gate = OpenGate::arm(&looking.place.directory, move |opening| {
            let name = opening.path.file_name().map(|name| name.to_string_lossy());
            let held = opening.pid == pid && name.is_some_and(|name| is_beside(&name));
            if held {
                at_gate.send_replace(true);
            }
            held
        })?;
        looking.strike = Some(pending.clone());
        Ok(Strike { pending, reached, _gate: gate })
    }

    /// Whether something lies beside the configuration that somebody was about to put in its place.
    pub(crate) fn has_torn(&self) -> bool {
        let directory = self.looking().place.directory.clone();
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.into_iter().any(|name| is_beside(&name))
    }

    fn looking(&self) -> MutexGuard<'_, Looking> {
        self.0.lock().expect("nothing panics while it looks")
    }
}

/// Neither the configuration nor the contexts.
fn is_beside(name: &str) -> bool {
    name != CONFIG_FILE && name != CONTEXTS
}

impl Looking {
    fn config(&self) -> PathBuf {
        self.place.directory.join(CONFIG_FILE)
    }

    fn tell(&self, path: &str, how: FileChange, by_user: bool, holds: DockerContent) {
        let file = DockerFile { path: path.to_owned(), how, by_user, holds };
        self.recorder.append(What::DockerFile(file));
    }

    /// Records what the kernel has queued.
    fn take(&mut self, by_user: bool) {
        let mut queue = VecDeque::from(self.drain(by_user));
        let mut contexts = false;
        while let Some(event) = queue.pop_front() {
            if self.is_config(&event) {
                self.take_config(&event, &mut queue, by_user);
            } else {
                contexts |= self.take_other(&event, by_user);
            }
        }
        if contexts {
            self.look_at_contexts(FileChange::Changed, by_user);
        }
    }

    /// What the kernel has queued; of a file that is written in many pieces, one tells enough.
    fn drain(&mut self, by_user: bool) -> Vec<FileEvent> {
        let mut happened = match self.directories.take() {
            Ok(happened) => happened,
            Err(error) => {
                let (resource, reason) = ("docker configuration".to_owned(), error.to_string());
                self.recorder.append(What::WatchLost { resource, reason });
                return Vec::new();
            }
        };
        if !by_user {
            self.strike_if_begun(&happened);
        }
        happened.dedup();
        happened
    }

    fn is_config(&self, event: &FileEvent) -> bool {
        let linked = self
            .link
            .as_ref()
            .is_some_and(|(directory, name)| *directory == event.directory && *name == event.name);
        linked || event.directory == self.place.directory && event.name == CONFIG_FILE
    }

    /// Records one change of `config.json`, and queues what has happened since.
    fn take_config(&mut self, event: &FileEvent, queue: &mut VecDeque<FileEvent>, by_user: bool) {
        let mut holds = self.reader.config(&self.config());
        queue.extend(self.drain(by_user));
        // What was read may be a later file.
        if event.kind != FileEventKind::Written && queue.iter().any(|later| self.is_config(later)) {
            holds = DockerContent::Passed;
        }
        let here = event.directory == self.place.directory;
        let unlinked = self.lost_link(here, by_user);
        let how = if unlinked { FileChange::Unlinked } else { how(event.kind) };
        self.tell(CONFIG_FILE, how, by_user, holds);
    }

    /// Records one change of another file; tells whether it is one of the contexts.
    fn take_other(&mut self, event: &FileEvent, by_user: bool) -> bool {
        let how = how(event.kind);
        if event.directory == self.place.directory && is_beside(&event.name) {
            // What the user makes there is gone when it is done with.
            if how != FileChange::Written && !by_user {
                self.tell(&event.name, how, by_user, of(how));
            }
        } else if Some(&event.directory) == self.place.other.as_ref() {
            self.tell(&format!("other/{}", event.name), how, by_user, of(how));
        } else {
            return !event.directory.starts_with(&self.place.elsewhere);
        }
        false
    }

    /// Whether a file has taken the place of a link that the user had there; told once.
    fn lost_link(&mut self, here: bool, by_user: bool) -> bool {
        let is_file = fs::symlink_metadata(self.config()).is_ok_and(|metadata| metadata.is_file());
        here && !by_user && is_file && self.link.take().is_some()
    }

    /// Records every context that is different, and watches those that are new.
    fn look_at_contexts(&mut self, how: FileChange, by_user: bool) {
        let contexts = self.place.directory.join(CONTEXTS);
        let meta = contexts.join("meta");
        for directory in [&contexts, &meta] {
            // One that is not there yet is told of by the one above it.
            let _ = self.directories.watch(directory);
        }
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&meta).into_iter().flatten().flatten() {
            let id = entry.file_name().to_string_lossy().into_owned();
            let _ = self.directories.watch(&entry.path());
            let (name, holds) = self.reader.context(&entry.path().join("meta.json"));
            let known = self.contexts.get(&id).map(|(name, _)| name.clone());
            let name = name.or(known).unwrap_or_else(|| id.clone());
            if holds != DockerContent::Nothing {
                found.insert(id, (name, holds));
            }
        }
        for (id, (name, _)) in &self.contexts {
            if !found.contains_key(id) {
                let path = format!("{CONTEXTS}/{name}");
                self.tell(&path, FileChange::Removed, by_user, DockerContent::Nothing);
            }
        }
        for (id, context) in &found {
            if self.contexts.get(id) != Some(context) {
                let (name, holds) = context;
                self.tell(&format!("{CONTEXTS}/{name}"), how, by_user, holds.clone());
            }
        }
        self.contexts = found;
    }

    /// Watches what `config.json` leads to, where it is a link.
    fn follow_link(&mut self) -> io::Result<()> {
        let target = match fs::read_link(self.config()) {
            Ok(target) => self.place.directory.join(target),
            Err(_) => {
                self.link = None;
                return Ok(());
            }
        };
        let parts = target.parent().map(Path::to_owned).zip(target.file_name());
        if let Some((directory, name)) = parts {
            self.directories.watch(&directory)?;
            self.link = Some((directory, name.to_string_lossy().into_owned()));
        }
        Ok(())
    }

    fn strike_if_begun(&mut self, happened: &[FileEvent]) {
        let in_place = |event: &FileEvent| {
            let here = event.directory == self.place.directory && event.name == CONFIG_FILE;
            here && event.kind == FileEventKind::Written
        };
        if happened.iter().any(in_place)
            && let Some(strike) = self.strike.take()
        {
            strike.fall(&self.recorder);
        }
    }
}

fn how(happening: FileEventKind) -> FileChange {
    match happening {
        FileEventKind::Created => FileChange::Made,
        FileEventKind::Written => FileChange::Written,
        FileEventKind::MovedIn => FileChange::Replaced,
        FileEventKind::Removed => FileChange::Removed,
    }
}

/// What is known of a file that is not looked into.
fn of(how: FileChange) -> DockerContent {
    if how == FileChange::Removed { DockerContent::Nothing } else { DockerContent::Other }
}
