//! The configuration of one engine: its files, and the arguments of its dockerd.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::choice::EngineChoice;
use crate::process::Environment;

/// The configuration of one engine.
#[derive(Debug)]
pub(crate) struct EngineConfig {
    /// Which engine it is.
    pub(crate) choice: EngineChoice,
    /// The directory of its files, which does not exist yet.
    pub(crate) directory: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
    /// The serial console of the guest that runs it, if one does.
    pub(crate) console: PathBuf,
    /// The environment of the world.
    pub(crate) environment: Environment,
    /// Name of the control group of its containers. No other world has one of this name.
    pub(crate) control_group: String,
    /// Where the registry listens that its users push to: none if the scenario needs no registry.
    /// They are addresses of this machine's loopback interface, and of the guest's if a guest runs the
    /// engine.
    pub(crate) registry: Vec<SocketAddr>,
    /// Whether its containers run on when it ends.
    pub(crate) live_restore: bool,
}

impl EngineConfig {
    /// Creates the directory and writes the configuration file. The file is written even if it is
    /// empty: without one, dockerd would read the machine's.
    pub(super) fn write_files(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        std::fs::write(self.configuration(), self.choice.configuration())
    }

    /// The engine's own socket, past the wire.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("engine.sock")
    }

    /// The file with dockerd's process ID. It stays after a kill, and the next dockerd would refuse
    /// to start because of it.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.directory.join("dockerd.pid")
    }

    /// The directory for the state of running processes. After a kill it is out of date if all
    /// processes of the engine ended with it.
    pub(super) fn exec_root(&self) -> PathBuf {
        self.directory.join("exec")
    }

    /// The arguments of dockerd.
    pub(super) fn arguments(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments = vec![
            format!("--config-file={}", text(&self.configuration())),
            format!("--data-root={}", text(&self.directory.join("data"))),
            format!("--exec-root={}", text(&self.exec_root())),
            format!("--pidfile={}", text(&self.pid_file())),
            format!("--host=unix://{}", text(&self.socket())),
            format!("--cgroup-parent=/{}", self.control_group),
            // Without a network: several engines would change the same rules of the machine's
            // firewall.
            "--bridge=none".to_owned(),
            "--iptables=false".to_owned(),
            "--ip6tables=false".to_owned(),
        ];
        arguments.extend(self.live_restore.then(|| "--live-restore".to_owned()));
        arguments
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("daemon.json")
    }
}
