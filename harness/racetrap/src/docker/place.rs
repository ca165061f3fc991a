//! Where the docker command's configuration of a world is, and what the daemon is told of it.

use std::path::{Path, PathBuf};

use racetrap_history::{CONTEXT_PREFIX, DockerNeeds, DockerUser};

use crate::process::Environment;
use crate::world_directory::{home, temporary};

/// The directory below HOME.
const BELOW_HOME: &str = ".docker";

/// Directories and names.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The configuration.
    pub(super) directory: PathBuf,
    /// The one below HOME, where the daemon was told to use another one.
    pub(super) other: Option<PathBuf>,
    /// Where the user keeps what a link leads to.
    pub(super) elsewhere: PathBuf,
    /// What lies at `/run` for a daemon that has one of its own.
    pub(super) run: PathBuf,
    /// Where the user's engine listens.
    pub(super) socket: PathBuf,
    /// Of whom the history tells.
    pub(super) user: DockerUser,
}

impl Place {
    /// That of the world in `directory`, whose processes have this environment.
    pub(crate) fn of(
        directory: &Path,
        environment: &Environment,
        needs: Option<&DockerNeeds>,
    ) -> Self {
        let set = |name: &str| environment.variables().get(name);
        let below_home = environment.home().join(BELOW_HOME);
        let configured = set("DOCKER_CONFIG").map_or_else(|| below_home.clone(), PathBuf::from);
        let instance = set("RDD_INSTANCE").map_or("", String::as_str);
        Self {
            other: (configured != below_home).then_some(below_home),
            directory: configured,
            elsewhere: home(directory).join("elsewhere"),
            run: directory.join("r"),
            socket: directory.join("u.sock"),
            user: DockerUser {
                context: format!("{CONTEXT_PREFIX}{instance}"),
                overruled: set("DOCKER_HOST").or_else(|| set("DOCKER_CONTEXT")).is_some(),
                about: needs.is_some(),
            },
        }
    }

    /// What the environment of a world's processes says of the docker command. Where a scenario is not
    /// about it, the daemon is told to leave the current context alone, so that it asks no engine
    /// outside its world.
    pub(crate) fn told(
        environment: Environment,
        directory: &Path,
        needs: Option<&DockerNeeds>,
    ) -> Environment {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let Some(needs) = needs else {
            let nowhere = format!("unix://{}", text(temporary(directory).join("no-engine.sock")));
            return environment.with("DOCKER_HOST", nowhere);
        };
        let config = if needs.elsewhere { "docker" } else { BELOW_HOME };
        let config = text(environment.home().join(config));
        let environment = environment.with("DOCKER_CONFIG", config);
        needs.environment.iter().fold(environment, |environment, (variable, value)| {
            environment.with(variable.name(), value.clone())
        })
    }
}
