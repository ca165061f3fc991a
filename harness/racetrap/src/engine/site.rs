//! Where an engine lives, and the arguments that say so to its dockerd.

use std::path::{Path, PathBuf};

use super::choice::EngineChoice;
use crate::process::Environment;

/// Where an engine lives.
#[derive(Debug)]
pub(crate) struct Site {
    /// Which engine it is.
    pub(crate) choice: EngineChoice,
    /// Its directory; it does not exist yet.
    pub(crate) directory: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
    /// The world's environment.
    pub(crate) environment: Environment,
    /// The control group of its containers; no other world has one of this name.
    pub(crate) control_group: String,
    /// Its containers outlive it.
    pub(crate) live_restore: bool,
}

impl Site {
    /// Makes the directory, and in it the configuration. That is always ours: dockerd would read the
    /// machine's own otherwise.
    pub(super) fn lay_out(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        std::fs::write(self.configuration(), self.choice.configuration())
    }

    /// Its socket, past the wire.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("engine.sock")
    }

    /// Where dockerd writes its process ID. That of a killed one would make the next one refuse.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.directory.join("dockerd.pid")
    }

    /// What an engine keeps for as long as it runs; what is there of one that was killed is worth
    /// nothing where all of its processes ended with it.
    pub(super) fn running_state(&self) -> PathBuf {
        self.directory.join("exec")
    }

    /// Arguments of dockerd, whoever starts it.
    pub(super) fn arguments(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments = vec![
            format!("--config-file={}", text(&self.configuration())),
            format!("--data-root={}", text(&self.directory.join("data"))),
            format!("--exec-root={}", text(&self.running_state())),
            format!("--pidfile={}", text(&self.pid_file())),
            format!("--host=unix://{}", text(&self.socket())),
            format!("--cgroup-parent=/{}", self.control_group),
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
