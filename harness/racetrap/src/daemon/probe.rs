//! Finds out what a daemon can do: by its `svc paths`, its help text and its API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use racetrap_history::VmOp;
use tokio::sync::watch;

use super::adapter::Daemon;
use super::error::DaemonError;
use super::log::LogReader;
use crate::process::Environment;
use crate::recorder::Recorder;

/// How long a command may take that only prints something.
const PRINT_LIMIT: Duration = Duration::from_secs(15);

/// How long `set --help` may take: a daemon that lists its properties there starts itself first.
const HELP_LIMIT: Duration = Duration::from_secs(100);

/// The instance whose directory older revisions use for docker.sock.
const OLD_SOCKET_INSTANCE: &str = "2";

impl Daemon {
    /// Asks the daemon's program for its paths. Starts no daemon.
    ///
    /// # Errors
    /// If there is no such program, if `svc paths` fails, or if a path lies outside the world.
    pub(crate) async fn probe(
        program: &Path,
        environment: Environment,
        recorder: &Recorder,
    ) -> Result<Self, DaemonError> {
        if !program.is_file() {
            return Err(DaemonError::Missing(program.to_owned()));
        }
        let mut daemon = Self {
            program: program.to_owned(),
            environment,
            recorder: recorder.clone(),
            paths: BTreeMap::new(),
            has_wait_option: false,
            set_help: String::new(),
            process: None,
            log: None,
            dumps_stacks: false,
            standalone: false,
            controllers: None,
            run_directory: None,
            lima_override: None,
            vm: watch::Sender::new(VmOp::Go),
        };
        let listed = daemon.must_succeed(&["svc", "paths"], PRINT_LIMIT).await?;
        daemon.paths = listed
            .stdout
            .lines()
            // A line is a name, white space, and a path, which may contain spaces itself.
            .filter_map(|line| line.split_once(char::is_whitespace))
            .map(|(key, path)| (key.to_owned(), PathBuf::from(path.trim())))
            .collect();
        // Checked before anything is created there: the path may belong to the user.
        for (key, path) in &daemon.paths {
            if !daemon.environment.is_inside(path) {
                let (key, path) = (key.clone(), path.clone());
                return Err(DaemonError::Outside { key, path });
            }
        }
        daemon.log = daemon.log_path().map(LogReader::new);
        Ok(daemon)
    }

    /// The output of the daemon's `version`.
    pub(crate) async fn version(&self) -> Result<String, DaemonError> {
        Ok(self.must_succeed(&["version"], PRINT_LIMIT).await?.stdout.trim().to_owned())
    }

    /// The socket at which the daemon looks for its engine (contract 2.2).
    ///
    /// Older revisions do not print it, and use the socket of instance 2 whichever instance they
    /// are (contract 9, R0). If the daemon has a neighbour, that socket may be the neighbour's;
    /// then this is the socket of the daemon's own instance, as the contract promises.
    pub(crate) fn docker_socket(&self, has_neighbour: bool) -> PathBuf {
        if let Some(path) = self.paths.get("docker_socket") {
            return path.clone();
        }
        let own = self.environment.variables().get("RDD_INSTANCE");
        let instance = own.filter(|_| has_neighbour).map_or(OLD_SOCKET_INSTANCE, String::as_str);
        self.environment.home().join(format!(".rd{instance}/docker.sock"))
    }

    /// The kubeconfig that the daemon writes for clients of its API (contract 2.3).
    pub(crate) fn kubeconfig(&self) -> Result<&Path, DaemonError> {
        self.required_path("config")
    }

    /// A path that the contract requires `svc paths` to name.
    pub(super) fn required_path(&self, key: &'static str) -> Result<&Path, DaemonError> {
        self.paths.get(key).map(PathBuf::as_path).ok_or(DaemonError::Path(key))
    }

    /// The kubeconfig that the guest's Kubernetes writes.
    pub(crate) fn guest_kubeconfig(&self) -> Result<&Path, DaemonError> {
        self.required_path("k3s_config")
    }

    /// The log of the daemon's service.
    pub(super) fn log_path(&self) -> Option<PathBuf> {
        self.paths.get("log_dir").map(|directory| directory.join("rdd.stderr.log"))
    }

    /// Finds out whether `set` has the option `--wait`.
    pub(super) async fn probe_wait_option(&mut self) -> Result<(), DaemonError> {
        let help = self.must_succeed(&["set", "--help"], HELP_LIMIT).await?;
        self.set_help = help.stdout + "\n" + &help.stderr;
        self.has_wait_option = self.set_help.contains("--wait");
        Ok(())
    }

    /// Whether the help of `set` names a condition of the App (contract 9.2.7). One that it does not
    /// name may be there all the same.
    pub(crate) fn names_condition(&self, condition: &str) -> bool {
        self.set_help.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == condition)
    }

    /// Whether the help of the daemon says how a VM becomes a distribution of WSL (contract 2.1.13). Only a
    /// daemon that can do so on this platform says it.
    pub(crate) async fn names_wsl(&self) -> Result<bool, DaemonError> {
        let help = self.must_succeed(&["--help"], PRINT_LIMIT).await?;
        Ok(help.stdout.contains("RDD_VM_TYPE"))
    }

    /// Whether the help of the daemon names docker's contexts (contract 9.2.8). A daemon whose help does
    /// not name them may keep one all the same.
    pub(crate) async fn names_contexts(&self) -> Result<bool, DaemonError> {
        let help = self.must_succeed(&["--help"], PRINT_LIMIT).await?;
        let text = (help.stdout + "\n" + &help.stderr).to_lowercase();
        Ok(text.lines().any(|line| line.contains("docker") && line.contains("context")))
    }
}
