//! What processes of a world are told: nothing of the user's but where programs are.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::mask::canary;
use crate::sys::Identity;

/// Name of the variable by which every process of a world is found again.
pub(crate) const MARKER: &str = "RACETRAP_WORLD";

/// Environment of a process, as a value.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    home: PathBuf,
    directories: Vec<PathBuf>,
}

impl Environment {
    /// The environment of a world in `directory`, whose processes carry `marker`.
    ///
    /// The user's HOME, Docker configuration, contexts and clusters are not in it, by being left
    /// out: the map is built from nothing.
    pub(crate) fn of_world(directory: &Path, number: u32, marker: &str) -> Self {
        let home = directory.join("h");
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut variables = BTreeMap::from([
            ("HOME".to_owned(), text(home.clone())),
            ("DOCKER_CONFIG".to_owned(), text(home.join(".docker"))),
            ("KUBECONFIG".to_owned(), text(home.join(".kube/config"))),
            ("TMPDIR".to_owned(), text(directory.join("t"))),
            ("RDD_INSTANCE".to_owned(), number.to_string()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            (MARKER.to_owned(), marker.to_owned()),
            (canary::VARIABLE.to_owned(), canary::secret("Daemon")),
        ]);
        if let Ok(path) = std::env::var("PATH") {
            variables.insert("PATH".to_owned(), path);
        }
        Self { variables, home, directories: vec![directory.to_owned()] }
    }

    /// The same as a second instance in the home of another world: the daemon's default one, which
    /// is nobody else's there.
    pub(crate) fn beside(mut self, home: &Path) -> Self {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        self.directories.extend(home.parent().map(Path::to_owned));
        home.clone_into(&mut self.home);
        self.with("HOME", text(home.to_owned()))
            .with("DOCKER_CONFIG", text(home.join(".docker")))
            .with("KUBECONFIG", text(home.join(".kube/config")))
            .with("RDD_INSTANCE", "2")
    }

    /// The same with one variable more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// The same without one variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Every variable.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Whether a path lies in the world.
    pub(crate) fn is_inside(&self, path: &Path) -> bool {
        let climbs = path.components().any(|part| part == Component::ParentDir);
        self.directories.iter().any(|world| path.starts_with(world)) && !climbs
    }

    /// Whether a process was told of this world.
    pub(crate) fn is_of(&self, process: Identity) -> bool {
        let marker = self.variables.get(MARKER);
        marker.is_some_and(|marker| process.carries(MARKER, marker))
    }

    /// What the processes of this world carry.
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

    // The whole list is compared, so that no variable of the user's can slip in unnoticed.
    #[test]
    fn a_world_is_told_nothing_of_the_users_but_where_programs_are() {
        let world = Environment::of_world(Path::new("/w/3"), 3, "3-1-1");
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
