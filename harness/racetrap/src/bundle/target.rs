//! The world that a capture looks at. Everything is read from the intents that the world declared
//! on disk, so that the world's watcher can capture it just as well as the harness.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::NEIGHBOUR;
use crate::derived::JOURNAL;
use crate::intent::{Intent, declared};
use crate::world_directory;

/// A world in which a run takes place, as its declared intents describe it.
#[derive(Clone, Debug)]
pub(crate) struct CaptureTarget {
    /// The world's directory.
    pub(crate) directory: PathBuf,
    /// The marker that each of the world's processes carries in its environment.
    pub(crate) marker: String,
    /// The evidence directory of the run.
    pub(crate) evidence: PathBuf,
    /// The HOME of the world's processes.
    pub(crate) home: PathBuf,
    /// Paths that the daemon printed for `svc paths`, by name; empty until the harness has asked.
    pub(crate) paths: BTreeMap<String, PathBuf>,
    /// The engine's own socket, past the wire; `None` until the engine was started.
    pub(crate) engine: Option<PathBuf>,
    /// The world's control groups, relative to the root of each hierarchy.
    pub(crate) control_groups: Vec<String>,
}

impl CaptureTarget {
    /// Reads the intents of the world in `directory`. Returns `None` if no run takes place in it.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        let mut marker = None;
        let mut run = None;
        let mut home = world_directory::home(directory);
        let mut paths = BTreeMap::new();
        let mut engine = None;
        let mut control_groups = Vec::new();
        // In the order in which they were declared: a later intent replaces an earlier one.
        for intent in declared(directory)? {
            match intent {
                Intent::World { marker: own } => marker = Some(own),
                Intent::Run { evidence, .. } => run = Some(evidence),
                Intent::Idle => run = None,
                Intent::Daemon { home: daemon_home, paths: printed } => {
                    (home, paths) = (daemon_home, printed);
                }
                Intent::Engine { socket } => engine = Some(socket),
                Intent::ControlGroup(name) => control_groups.push(name),
                Intent::Containers { .. } | Intent::Process(_) => {}
            }
        }
        let directory = directory.to_owned();
        let target = marker.zip(run).map(|(marker, evidence)| Self {
            directory,
            marker,
            evidence,
            home,
            paths,
            engine,
            control_groups,
        });
        Ok(target)
    }

    /// A kubeconfig with which the daemon's API is reached without any wire.
    pub(crate) fn kubeconfig(&self) -> Option<PathBuf> {
        // With a wire in front of the API, the daemon's own kubeconfig leads to the wire.
        let direct = past_wire(&self.directory);
        if direct.is_file() { Some(direct) } else { self.paths.get("config").cloned() }
    }

    /// The journal of the run. A neighbour has none of its own: its records are in the run's
    /// journal.
    pub(crate) fn journal(&self) -> PathBuf {
        let own = self.evidence.join(JOURNAL);
        let of_run = run_directory(&self.evidence).join(JOURNAL);
        if own.is_file() { own } else { of_run }
    }
}

/// The evidence directory of the run to which an evidence directory belongs: a neighbour's is
/// inside the run's.
pub(super) fn run_directory(evidence: &Path) -> &Path {
    let parent = evidence.parent().filter(|_| evidence.ends_with(NEIGHBOUR));
    parent.filter(|parent| parent.join(JOURNAL).is_file()).unwrap_or(evidence)
}

/// Where the daemon's original kubeconfig is kept while the daemon's own file leads clients to a
/// wire.
pub(crate) fn past_wire(directory: &Path) -> PathBuf {
    directory.join("past-wire.yaml")
}
