//! Records every change of the user's kubeconfig in the history: names, and digests of values with a key
//! that is thrown away.
//!
//! The kernel queues changes as they happen (inotify). Each call that records takes the whole queue: a
//! task that waits for changes calls it, and so does the harness before each record whose order matters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::{fs, io};

use racetrap_history::{FileChange, KUBECONFIG_LISTS, Kubeconfig, KubeconfigContent, What};
use serde_json::Map;
use tokio::task::JoinSet;

use crate::mask::ValueDigests;
use crate::recorder::Recorder;
use crate::sys::{DirectoryWatch, file_facts};

/// Watches the kubeconfig of one world. Clones share the state.
#[derive(Clone)]
pub(super) struct KubeconfigWatch(Arc<Mutex<WatchState>>);

struct WatchState {
    path: PathBuf,
    directory: DirectoryWatch,
    digests: ValueDigests,
    recorder: Recorder,
}

impl KubeconfigWatch {
    /// Watches the file at `path`, whose directory is made if it does not exist, in a task of `tasks`.
    pub(super) async fn start(
        path: PathBuf,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let mut directory = DirectoryWatch::open().await?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
            directory.watch(parent)?;
        }
        let (digests, recorder) = (ValueDigests::default(), recorder.clone());
        let watch = Self(Arc::new(Mutex::new(WatchState { path, directory, digests, recorder })));
        let observer = watch.clone();
        watch.state().directory.observe(tasks, move || observer.record_changes())?;
        Ok(watch)
    }

    /// Records the file as it is at the beginning of a run.
    pub(super) fn record_initial(&self) {
        let mut state = self.state();
        // What is still queued is part of the initial state. An error comes again with the next event.
        let _ = state.directory.take();
        state.record(FileChange::Found);
    }

    /// Records the changes up to now.
    pub(super) fn record_changes(&self) {
        self.state().record_queued();
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        self.0.lock().expect("nothing panics while it holds the state")
    }
}

impl WatchState {
    fn record_queued(&mut self) {
        let events = match self.directory.take() {
            Ok(events) => events,
            Err(error) => {
                let (resource, reason) = ("the user's kubeconfig".to_owned(), error.to_string());
                return self.recorder.append(What::WatchLost { resource, reason });
            }
        };
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let ours = events.iter().filter(|event| Some(&event.name) == name.as_ref());
        // The content of all but the last event is gone; how the file was changed is not. Of equal events
        // in a row, as a long write makes them, one is enough.
        let mut kinds: Vec<_> = ours.map(|event| event.kind).collect();
        kinds.dedup();
        for kind in kinds {
            self.record(kind);
        }
    }

    fn record(&self, how: FileChange) {
        let mode = file_facts(&self.path).map_or(0, |facts| facts.mode);
        let holds = content(&self.path, &self.digests);
        self.recorder.append(What::Kubeconfig(Kubeconfig { how, mode, holds }));
    }
}

/// The names in a kubeconfig, with digests of what they have.
fn content(path: &Path, digests: &ValueDigests) -> KubeconfigContent {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return KubeconfigContent::Nothing,
        Err(_) => return KubeconfigContent::Broken { bytes: 0 },
    };
    let bytes = text.len() as u64;
    let parsed = std::str::from_utf8(&text).ok().and_then(|text| {
        // kubectl takes an empty file for a kubeconfig without entries.
        if text.trim().is_empty() { Some(Map::new()) } else { serde_yaml::from_str(text).ok() }
    });
    let Some(config) = parsed else { return KubeconfigContent::Broken { bytes } };
    let mut members = BTreeMap::new();
    let mut current = String::new();
    for (name, value) in &config {
        if name == "current-context" {
            value.as_str().unwrap_or_default().clone_into(&mut current);
        } else if KUBECONFIG_LISTS.contains(&name.as_str()) {
            for entry in value.as_array().into_iter().flatten() {
                let of = entry["name"].as_str().unwrap_or_default();
                members.insert(format!("{name}/{of}"), digests.digest(entry));
            }
        } else {
            members.insert(name.clone(), digests.digest(value));
        }
    }
    KubeconfigContent::Config { current, members }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use racetrap_history::KubeconfigContent;

    use super::content;
    use crate::mask::ValueDigests;

    // Each value has a secret, which must not be in the record, and must change it.
    #[test]
    fn a_kubeconfig_is_recorded_by_names_and_digests() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("config");
        let digests = ValueDigests::default();
        assert_eq!(content(&path, &digests), KubeconfigContent::Nothing);
        let read = |text: &str| {
            fs::write(&path, text).expect("a file");
            content(&path, &digests)
        };
        assert_eq!(read("- SECRET"), KubeconfigContent::Broken { bytes: 8 });
        let text =
            "current-context: mine\nx: SECRET\nusers:\n- {name: me, user: {token: SECRET}}\n";
        let found = read(text);
        assert!(!format!("{found:?}").contains("SECRET"), "{found:?}");
        let KubeconfigContent::Config { current, members } = &found else { panic!("{found:?}") };
        assert_eq!(current, "mine");
        assert_eq!(members.keys().map(String::as_str).collect::<Vec<_>>(), ["users/me", "x"]);
        assert_eq!(read(text), found);
        assert_ne!(read(&text.replace("SECRET}", "OTHER}")), found);
        assert!(
            matches!(read(" \n"), KubeconfigContent::Config { members, .. } if members.is_empty())
        );
    }
}
