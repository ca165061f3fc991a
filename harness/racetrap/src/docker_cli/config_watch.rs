//! Records every change of the docker command's configuration in the history.
//!
//! The kernel queues changes as they happen (inotify). Each call that records takes the whole
//! queue. It is called by a task that waits for changes, and by the harness before each record
//! whose order matters. So a change never follows a record of something that happened after it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::{fs, io};

use racetrap_history::{
    CONFIG_FILE, CONTEXTS_DIRECTORY, DockerContent, DockerFile, FileAttributes, FileChange, What,
};
use tokio::task::JoinSet;

use super::config_content::{ContentReader, attributes};
use super::layout::CliLayout;
use super::write_trap::{SharedTrap, TrapAction, WriteTrap};
use crate::recorder::Recorder;
use crate::sys::{DirectoryWatch, FileEvent, OpenGate};

/// Watches the configuration of one world. Clones share the state.
#[derive(Clone)]
pub(crate) struct ConfigWatch(Arc<Mutex<WatchState>>);

/// A context, as it was recorded last.
#[derive(PartialEq, Eq)]
struct Context {
    name: String,
    content: DockerContent,
    attributes: Option<FileAttributes>,
}

/// What the last record of a file says.
struct Recorded {
    content: DockerContent,
    attributes: Option<FileAttributes>,
}

struct WatchState {
    layout: CliLayout,
    directories: DirectoryWatch,
    /// If `config.json` is a link: the directory of its target, and the name there.
    link: Option<(PathBuf, String)>,
    reader: ContentReader,
    /// The contexts that were recorded last, by the name of the directory.
    contexts: BTreeMap<String, Context>,
    /// `config.json` as it was recorded last.
    config: Recorded,
    /// The directory of the contexts as it was recorded last.
    contexts_directory: Option<FileAttributes>,
    trap: Option<SharedTrap>,
    recorder: Recorder,
}

impl ConfigWatch {
    /// Creates the configuration's directory, and watches it in a task of `tasks`.
    pub(crate) async fn start(
        layout: CliLayout,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let mut directories = DirectoryWatch::open().await?;
        let both = [Some(&layout.config), layout.unused_config.as_ref()];
        for directory in both.into_iter().flatten() {
            fs::create_dir_all(directory)?;
            directories.watch(directory)?;
        }
        let watch = Self(Arc::new(Mutex::new(WatchState {
            layout,
            directories,
            link: None,
            reader: ContentReader::default(),
            contexts: BTreeMap::new(),
            config: Recorded { content: DockerContent::Nothing, attributes: None },
            contexts_directory: None,
            trap: None,
            recorder: recorder.clone(),
        })));
        let observer = watch.clone();
        watch.state().directories.observe(tasks, move || observer.record_changes())?;
        Ok(watch)
    }

    /// Records the user, `config.json` and all contexts as they are at the beginning of a run.
    pub(crate) fn record_initial(&self) {
        let mut state = self.state();
        // What is still queued is part of the initial state, or of an earlier run.
        state.record_queued(false);
        state.recorder.append(What::DockerUser(state.layout.facts.clone()));
        let content = state.reader.config(&state.config_path());
        state.record_content(FileChange::Found, false, content);
        state.contexts.clear();
        state.contexts_directory = None;
        state.record_contexts(FileChange::Found, false);
    }

    /// Records the changes up to now.
    pub(crate) fn record_changes(&self) {
        self.state().record_queued(false);
    }

    /// Carries out a change as the user. The records of what it changes say so.
    pub(crate) fn as_user<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // The lock is held throughout, so that the observer's task cannot take the user's changes
        // from the queue and record them as somebody else's.
        let mut state = self.state();
        state.record_queued(false);
        let changed = change();
        state.follow_link()?;
        state.record_queued(true);
        changed
    }

    /// Arms a trap that acts on the process `pid` when it begins to write the configuration.
    ///
    /// # Errors
    /// If the kernel cannot hold a process that opens a file.
    pub(crate) fn arm_trap(&self, pid: u32, action: TrapAction) -> io::Result<WriteTrap> {
        let mut state = self.state();
        // An earlier write must not spring the trap.
        state.record_queued(false);
        let (shared, reached) = SharedTrap::new(action);
        let at_gate = shared.clone();
        let gate = OpenGate::arm(&state.layout.config, move |opening| {
            let name = opening.path.file_name().map(|name| name.to_string_lossy());
            let held = opening.pid == pid && name.is_some_and(|name| is_beside(&name));
            if held {
                // Only announced: the action is up to the step that waits for the trap. The process
                // is held until then.
                at_gate.set_reached();
            }
            held
        })?;
        state.trap = Some(shared.clone());
        Ok(WriteTrap { shared, reached, _gate: gate })
    }

    /// Whether the configuration's directory has a file that was about to replace the
    /// configuration.
    pub(crate) fn has_unfinished_write(&self) -> bool {
        let directory = self.state().layout.config.clone();
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.into_iter().any(|name| is_beside(&name))
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        self.0.lock().expect("nothing panics while it holds the state")
    }
}

/// Whether an entry of the configuration's directory is neither `config.json` nor the contexts.
fn is_beside(name: &str) -> bool {
    name != CONFIG_FILE && name != CONTEXTS_DIRECTORY
}

impl WatchState {
    fn config_path(&self) -> PathBuf {
        self.layout.config.join(CONFIG_FILE)
    }

    fn record(&self, path: &str, how: FileChange, by_user: bool, holds: DockerContent) {
        let path = path.to_owned();
        self.record_file(DockerFile { path, how, by_user, holds, attributes: None });
    }

    fn record_file(&self, file: DockerFile) {
        self.recorder.append(What::DockerFile(file));
    }

    /// Records `config.json` with this content.
    fn record_content(&mut self, how: FileChange, by_user: bool, content: DockerContent) {
        // The attributes of a file that has changed again may be those of the next content.
        let attributes = (content != DockerContent::Passed)
            .then(|| attributes(&self.layout.config, &self.config_path()))
            .flatten();
        self.config = Recorded { content: content.clone(), attributes: attributes.clone() };
        let path = CONFIG_FILE.to_owned();
        self.record_file(DockerFile { path, how, by_user, holds: content, attributes });
    }

    /// Records a new mode or owner of `config.json`, which the kernel does not report here.
    fn record_attributes(&mut self, by_user: bool) {
        let now = attributes(&self.layout.config, &self.config_path());
        let is_known = self.config.content != DockerContent::Passed;
        if is_known && now.is_some() && now != self.config.attributes {
            self.config.attributes.clone_from(&now);
            let (path, how) = (CONFIG_FILE.to_owned(), FileChange::Changed);
            let holds = self.config.content.clone();
            self.record_file(DockerFile { path, how, by_user, holds, attributes: now });
        }
    }

    /// Records all changes that the kernel has queued.
    fn record_queued(&mut self, by_user: bool) {
        let mut queue = VecDeque::from(self.drain(by_user));
        let mut contexts = false;
        while let Some(event) = queue.pop_front() {
            if self.is_config(&event) {
                self.record_config(&event, &mut queue, by_user);
            } else {
                contexts |= self.record_other(&event, by_user);
            }
        }
        // Once for all events: the contexts are compared with those that were recorded last. The kernel
        // does not report a new mode or owner, so that a change of the user is looked for in any case;
        // otherwise the next change of the daemon would be blamed for it.
        if contexts || by_user {
            self.record_contexts(FileChange::Changed, by_user);
        }
        self.record_attributes(by_user);
    }

    /// Takes the kernel's queue. Of equal events in a row, as a long write makes them, one is
    /// enough.
    fn drain(&mut self, by_user: bool) -> Vec<FileEvent> {
        let mut events = match self.directories.take() {
            Ok(events) => events,
            Err(error) => {
                let (resource, reason) = ("docker configuration".to_owned(), error.to_string());
                self.recorder.append(What::WatchLost { resource, reason });
                return Vec::new();
            }
        };
        // At once, and before anything is read: the daemon is writing.
        if !by_user {
            self.spring_trap(&events);
        }
        events.dedup();
        events
    }

    fn is_config(&self, event: &FileEvent) -> bool {
        let linked = self
            .link
            .as_ref()
            .is_some_and(|(directory, name)| *directory == event.directory && *name == event.name);
        linked || event.directory == self.layout.config && event.name == CONFIG_FILE
    }

    /// Records one change of `config.json`, and queues the changes that happened while it was read.
    fn record_config(&mut self, event: &FileEvent, queue: &mut VecDeque<FileEvent>, by_user: bool) {
        let mut holds = self.reader.config(&self.config_path());
        queue.extend(self.drain(by_user));
        // If a later event is queued, what was read may already be the later content, so it is not
        // recorded for this event. The content of a write in place is recorded in any case: what
        // the harness has read, every other program could have read too.
        if event.kind != FileChange::Written && queue.iter().any(|later| self.is_config(later)) {
            holds = DockerContent::Passed;
        }
        let in_config = event.directory == self.layout.config;
        let unlinked = self.has_lost_link(in_config, by_user);
        let how = if unlinked { FileChange::Unlinked } else { event.kind };
        self.record_content(how, by_user, holds);
    }

    /// Records one change of a file that is not `config.json`. Returns whether it concerns the
    /// contexts, which [`record_contexts`](Self::record_contexts) records.
    fn record_other(&mut self, event: &FileEvent, by_user: bool) -> bool {
        let how = event.kind;
        if event.directory == self.layout.config && is_beside(&event.name) {
            // A temporary file of the user is gone again when the user's change is complete.
            if how != FileChange::Written && !by_user {
                self.record(&event.name, how, by_user, content_after(how));
            }
        } else if Some(&event.directory) == self.layout.unused_config.as_ref() {
            self.record(&format!("other/{}", event.name), how, by_user, content_after(how));
        } else {
            return !event.directory.starts_with(&self.layout.link_targets);
        }
        false
    }

    /// Whether a file has replaced the user's link; true once.
    fn has_lost_link(&mut self, in_config: bool, by_user: bool) -> bool {
        let metadata = fs::symlink_metadata(self.config_path());
        let is_file = metadata.is_ok_and(|metadata| metadata.is_file());
        in_config && !by_user && is_file && self.link.take().is_some()
    }

    /// Records every context that differs from what was recorded last, and watches new directories.
    fn record_contexts(&mut self, how: FileChange, by_user: bool) {
        let contexts = self.layout.config.join(CONTEXTS_DIRECTORY);
        let meta = contexts.join("meta");
        for directory in [&contexts, &meta] {
            // The directory may not exist yet; then its parent has an event when it is created.
            let _ = self.directories.watch(directory);
        }
        self.record_contexts_directory(how, by_user);
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&meta).into_iter().flatten().flatten() {
            let id = entry.file_name().to_string_lossy().into_owned();
            // Before the file is read: a change after that has an event.
            let _ = self.directories.watch(&entry.path());
            let file = entry.path().join("meta.json");
            let (name, content) = self.reader.context(&file);
            // A file that cannot be read keeps the name that it had.
            let known = self.contexts.get(&id).map(|context| context.name.clone());
            let name = name.or(known).unwrap_or_else(|| id.clone());
            let attributes = attributes(&self.layout.config, &file);
            if content != DockerContent::Nothing {
                found.insert(id, Context { name, content, attributes });
            }
        }
        for (id, Context { name, .. }) in &self.contexts {
            if !found.contains_key(id) {
                let path = format!("{CONTEXTS_DIRECTORY}/{name}");
                self.record(&path, FileChange::Removed, by_user, DockerContent::Nothing);
            }
        }
        for (id, context) in &found {
            if self.contexts.get(id) != Some(context) {
                let Context { name, content, attributes } = context;
                let path = format!("{CONTEXTS_DIRECTORY}/{name}");
                let (holds, attributes) = (content.clone(), attributes.clone());
                self.record_file(DockerFile { path, how, by_user, holds, attributes });
            }
        }
        self.contexts = found;
    }

    /// Records where the directory of the contexts leads, if it is a link or was one.
    fn record_contexts_directory(&mut self, how: FileChange, by_user: bool) {
        let now = attributes(&self.layout.config, &self.layout.config.join(CONTEXTS_DIRECTORY));
        let link = |of: &Option<FileAttributes>| of.as_ref().and_then(|it| it.link.clone());
        if link(&now) != link(&self.contexts_directory) {
            let (path, holds) = (CONTEXTS_DIRECTORY.to_owned(), DockerContent::Other);
            let attributes = now.clone();
            self.record_file(DockerFile { path, how, by_user, holds, attributes });
        }
        self.contexts_directory = now;
    }

    /// If `config.json` is a link, watches the directory of its target.
    fn follow_link(&mut self) -> io::Result<()> {
        let target = match fs::read_link(self.config_path()) {
            Ok(target) => self.layout.config.join(target),
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

    /// Springs the trap if one of the events is a write of `config.json` in place.
    fn spring_trap(&mut self, events: &[FileEvent]) {
        let is_write_in_place = |event: &FileEvent| {
            let is_config = event.directory == self.layout.config && event.name == CONFIG_FILE;
            is_config && event.kind == FileChange::Written
        };
        if events.iter().any(is_write_in_place)
            && let Some(trap) = self.trap.take()
        {
            trap.act(&self.recorder);
        }
    }
}

/// The recorded content of a file that the harness does not read.
fn content_after(how: FileChange) -> DockerContent {
    if how == FileChange::Removed { DockerContent::Nothing } else { DockerContent::Other }
}
