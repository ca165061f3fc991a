//! Where the docker command's files of a world are, and the variables by which processes find them.

use std::path::{Path, PathBuf};

use racetrap_history::{CONTEXT_PREFIX, DockerNeeds, DockerUser};

use crate::process::Environment;
use crate::world_directory::{home, temporary};

/// The default directory of the docker command's configuration, below HOME.
const DEFAULT_CONFIG: &str = ".docker";

/// The docker command's directories and sockets in one world.
#[derive(Clone, Debug)]
pub(crate) struct CliLayout {
    /// The directory of the configuration.
    pub(super) config: PathBuf,
    /// The default directory, if `DOCKER_CONFIG` names another one. Nobody may write there then.
    pub(super) unused_config: Option<PathBuf>,
    /// The directory for files that a link in the configuration leads to.
    pub(super) link_targets: PathBuf,
    /// The directory that the daemon sees as `/run`, if it does not see the machine's.
    pub(super) run: PathBuf,
    /// The socket of the user's engine.
    pub(super) socket: PathBuf,
    /// Whether the configuration is on a file system of its own, which steps can fill.
    pub(super) own_disk: bool,
    /// What the history says about the user.
    pub(super) facts: DockerUser,
}

impl CliLayout {
    /// The layout of the world in `directory`, whose processes have this environment.
    pub(crate) fn new(
        directory: &Path,
        environment: &Environment,
        needs: Option<&DockerNeeds>,
    ) -> Self {
        let variable = |name: &str| environment.variables().get(name);
        let default = environment.home().join(DEFAULT_CONFIG);
        let config = variable("DOCKER_CONFIG").map_or_else(|| default.clone(), PathBuf::from);
        let instance = variable("RDD_INSTANCE").map_or("", String::as_str);
        Self {
            unused_config: (config != default).then_some(default),
            config,
            link_targets: home(directory).join("elsewhere"),
            run: directory.join("r"),
            socket: directory.join("u.sock"),
            own_disk: needs.is_some_and(|needs| needs.disk),
            facts: DockerUser {
                context: format!("{CONTEXT_PREFIX}{instance}"),
                overruled: variable("DOCKER_HOST").or(variable("DOCKER_CONTEXT")).is_some(),
                about: needs.is_some(),
            },
        }
    }

    /// Adds the docker command's variables to the environment of a world's processes.
    ///
    /// If the scenario is not about the docker command (`needs` is `None`), `DOCKER_HOST` names a
    /// socket that does not exist. The daemon then leaves the current context alone, and never asks
    /// the machine's own engine.
    pub(crate) fn add_variables(
        environment: Environment,
        directory: &Path,
        needs: Option<&DockerNeeds>,
    ) -> Environment {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let Some(needs) = needs else {
            let nowhere = format!("unix://{}", text(temporary(directory).join("no-engine.sock")));
            return environment.with("DOCKER_HOST", nowhere);
        };
        let config = if needs.elsewhere { "docker" } else { DEFAULT_CONFIG };
        let config = text(environment.home().join(config));
        let environment = environment.with("DOCKER_CONFIG", config);
        needs.environment.iter().fold(environment, |environment, (variable, value)| {
            environment.with(variable.name(), value.clone())
        })
    }
}
