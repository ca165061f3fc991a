//! The environment of a world's processes. The only variable of the user in it is PATH.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::program::search_path;
use crate::mask::canary;
use crate::sys::Identity;
use crate::world_directory;

/// The variable with the world's marker. Every descendant of a process inherits it, so all
/// processes of a world can be found by it.
pub(crate) const MARKER: &str = "RACETRAP_WORLD";

/// The environment of a process, as a value.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    home: PathBuf,
    /// The directory of the world, and for a neighbour that of the world whose home it shares.
    directories: Vec<PathBuf>,
}

impl Environment {
    /// The environment of the world in `directory`, whose processes carry `marker`.
    ///
    /// It is built from nothing, so that a process of the world finds neither the user's HOME nor
    /// the user's Docker configuration, contexts and clusters.
    pub(crate) fn for_world(directory: &Path, number: u32, marker: &str) -> Self {
        let home = world_directory::home(directory);
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut variables = BTreeMap::from([
            ("HOME".to_owned(), text(home.clone())),
            ("DOCKER_CONFIG".to_owned(), text(home.join(".docker"))),
            ("KUBECONFIG".to_owned(), text(home.join(".kube/config"))),
            ("TMPDIR".to_owned(), text(world_directory::temporary(directory))),
            ("RDD_INSTANCE".to_owned(), number.to_string()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            (MARKER.to_owned(), marker.to_owned()),
            (canary::VARIABLE.to_owned(), canary::secret("Daemon")),
        ]);
        // Programs of the machine: dockerd, docker, kubectl.
        variables.insert("PATH".to_owned(), search_path().to_string_lossy().into_owned());
        Self { variables, home, directories: vec![directory.to_owned()] }
    }

    /// Moves the environment into the home of another world, as the daemon's instance 2: the
    /// default one, which no other daemon in that home is.
    pub(crate) fn for_neighbour_in(mut self, home: &Path) -> Self {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        self.directories.extend(home.parent().map(Path::to_owned));
        home.clone_into(&mut self.home);
        self.with("HOME", text(home.to_owned()))
            .with("DOCKER_CONFIG", text(home.join(".docker")))
            .with("KUBECONFIG", text(home.join(".kube/config")))
            .with("RDD_INSTANCE", "2")
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Every variable.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Whether a path lies in the world. Paths with `..` never do.
    pub(crate) fn is_inside(&self, path: &Path) -> bool {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        self.directories.iter().any(|world| path.starts_with(world)) && !climbs
    }

    /// Whether a process carries the marker of this world.
    pub(crate) fn is_of(&self, process: Identity) -> bool {
        let marker = self.variables.get(MARKER);
        marker.is_some_and(|marker| process.carries(MARKER, marker))
    }

    /// The marker of this world.
    pub(crate) fn marker(&self) -> &str {
        self.variables.get(MARKER).map_or("", String::as_str)
    }

    /// The world's home directory.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The whole list is compared, so that another variable of the user would be noticed.
    #[test]
    fn a_world_gets_no_variable_of_the_user_but_path() {
        let world = Environment::for_world(Path::new("/w/3"), 3, "3-1-1");
        let names: Vec<_> = world.variables().keys().map(String::as_str).collect();
        let expected = [
            "DOCKER_CONFIG",
            "HOME",
            "KUBECONFIG",
            "LANG",
            "PATH",
            canary::VARIABLE,
            MARKER,
            "RDD_INSTANCE",
            "TMPDIR",
        ];
        assert_eq!(names, expected);
        let below = ["DOCKER_CONFIG", "HOME", "KUBECONFIG", "TMPDIR"];
        assert!(below.iter().all(|name| world.variables()[*name].starts_with("/w/3/")));
    }
}
