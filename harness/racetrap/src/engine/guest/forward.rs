//! Forwards the guest's docker.sock to a socket of this machine, and this machine's registry to the guest.

use std::io;
use std::path::PathBuf;

use tokio::task::JoinSet;

use crate::engine::config::EngineConfig;
use crate::engine::error::EngineError;
use crate::process::{Child, Spawn, find_program};
use crate::recorder::Recorder;
use crate::sys::remove_if_exists;
use crate::vm::{DAEMON_ADDRESS, HARNESS_ADDRESS, Image, LIMA_ADDRESS, Qmp, VmError};

/// A forward of the guest's docker.sock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forward {
    /// For the daemon, which reaches it through the wire.
    Daemon,
    /// For the harness. It brings the world's registry to the guest, too.
    Harness,
    /// For the daemon, in place of that of the harness's own Lima.
    Lima,
}

impl Forward {
    /// The name of its process in the history.
    pub(super) fn process(self) -> &'static str {
        match self {
            Self::Daemon | Self::Lima => "engine-forward",
            Self::Harness => "engine-truth",
        }
    }

    /// Its socket on this machine.
    pub(super) fn socket(self, config: &EngineConfig) -> PathBuf {
        match self {
            Self::Daemon | Self::Lima => config.socket(),
            Self::Harness => config.directory.join("truth.sock"),
        }
    }

    /// Starts the `ssh` that forwards. It binds the socket once it has logged in.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the world")]
    pub(super) async fn begin(
        self,
        qmp: &Qmp,
        image: &Image,
        config: &EngineConfig,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Child, EngineError> {
        let failed = |source| EngineError::Process { what: "forwarded", source };
        let address = match self {
            Self::Daemon => DAEMON_ADDRESS,
            Self::Harness => HARNESS_ADDRESS,
            Self::Lima => LIMA_ADDRESS,
        };
        let missing = || failed(io::Error::other("QEMU lists no port for ssh"));
        let port = qmp.ssh_port(address).await?.ok_or_else(missing)?;
        let socket = self.socket(config);
        // A forward that has ended leaves its socket behind, and the next one could not bind it.
        remove_if_exists(&socket).map_err(failed)?;
        let spawn = Spawn {
            name: self.process(),
            program: find_program("ssh").ok_or(VmError::Missing { program: "ssh" })?,
            arguments: self.arguments(port, image, config),
            environment: &config.environment,
            log: Some(config.directory.join("ssh.log")),
        };
        Child::start(&spawn, tasks, recorder).map_err(failed)
    }

    fn arguments(self, port: u16, image: &Image, config: &EngineConfig) -> Vec<String> {
        let mut arguments = ["-F", "none", "-N", "-T"].map(str::to_owned).to_vec();
        arguments.extend(["-p".to_owned(), port.to_string()]);
        let mut option = |name: &str, value: &str| {
            arguments.extend(["-o".to_owned(), format!("{name}={value}")]);
        };
        option("IdentityFile", &image.key().to_string_lossy());
        option("UserKnownHostsFile", &image.known_hosts().to_string_lossy());
        for (name, value) in [
            // Neither the user's keys nor the user's list of known machines are used.
            ("IdentitiesOnly", "yes"),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("HostKeyAlias", "guest"),
            ("StrictHostKeyChecking", "yes"),
            ("BatchMode", "yes"),
            ("ExitOnForwardFailure", "yes"),
            ("ControlPath", "none"),
            ("ConnectTimeout", "60"),
            ("Ciphers", "aes128-gcm@openssh.com"),
            ("LogLevel", "ERROR"),
        ] {
            option(name, value);
        }
        let sockets = format!("{}:/run/docker.sock", self.socket(config).display());
        arguments.extend(["-L".to_owned(), sockets]);
        if self == Self::Harness {
            // The same address on both sides, because the engine is told it as part of an image's name.
            let addresses = config.registry.iter().map(|address| format!("{address}:{address}"));
            arguments.extend(addresses.flat_map(|both| ["-R".to_owned(), both]));
        }
        arguments.push("root@127.0.0.1".to_owned());
        arguments
    }
}
