//! Whose world is looked at, as it is declared on disk: the harness and a world's watcher know the same.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::derived::JOURNAL;
use crate::intent::{Intent, declared};
use crate::world_directory;

/// A world, from outside.
#[derive(Clone, Debug)]
pub(crate) struct Patient {
    /// Its directory.
    pub(crate) directory: PathBuf,
    /// What each of its processes carries.
    pub(crate) marker: String,
    /// Evidence of the run that goes on in it.
    pub(crate) evidence: PathBuf,
    /// The HOME of its processes.
    pub(crate) home: PathBuf,
    /// What the daemon's `svc paths` has said, by name; empty before it was asked.
    pub(crate) paths: BTreeMap<String, PathBuf>,
    /// The engine's own socket, past the wire.
    pub(crate) engine: Option<PathBuf>,
    /// Control groups below the root of each hierarchy.
    pub(crate) control_groups: Vec<String>,
}

impl Patient {
    /// Reads what the world in `directory` has declared; none where no run goes on in it.
    pub(crate) fn of(directory: &Path) -> io::Result<Option<Self>> {
        let mut marker = None;
        let mut run = None;
        let mut home = world_directory::home(directory);
        let mut paths = BTreeMap::new();
        let mut engine = None;
        let mut control_groups = Vec::new();
        for intent in declared(directory)? {
            match intent {
                Intent::World { marker: own } => marker = Some(own),
                Intent::Run { evidence, .. } => run = Some(evidence),
                Intent::Idle => run = None,
                Intent::Daemon { home: told, paths: said } => (home, paths) = (told, said),
                Intent::Engine { socket } => engine = Some(socket),
                Intent::ControlGroup(name) => control_groups.push(name),
                Intent::Containers { .. } | Intent::Process(_) => {}
            }
        }
        let directory = directory.to_owned();
        let known = marker.zip(run).map(|(marker, evidence)| Self {
            directory,
            marker,
            evidence,
            home,
            paths,
            engine,
            control_groups,
        });
        Ok(known)
    }

    /// The kubeconfig by which the daemon's API is reached, past any wire.
    pub(crate) fn kubeconfig(&self) -> Option<PathBuf> {
        let past = past_wire(&self.directory);
        if past.is_file() { Some(past) } else { self.paths.get("config").cloned() }
    }

    /// The journal of its run; that of a neighbour is in the run's own directory.
    pub(crate) fn journal(&self) -> PathBuf {
        let own = self.evidence.join(JOURNAL);
        let above = self.evidence.parent().map(|run| run.join(JOURNAL));
        above.filter(|above| !own.is_file() && above.is_file()).unwrap_or(own)
    }
}

/// Where the daemon's own kubeconfig lies while a wire stands before its API.
pub(crate) fn past_wire(directory: &Path) -> PathBuf {
    directory.join("past-wire.yaml")
}
