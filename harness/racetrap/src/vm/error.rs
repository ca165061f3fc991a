//! Why a guest could not be built, started or asked.

use std::io;
use std::path::PathBuf;

use super::version::GuestVersion;
use crate::apt::AptError;
use crate::wait::NotReached;

/// A guest could not be built, started or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// No variable names a cache directory.
    #[error("there is no cache directory: neither XDG_CACHE_HOME nor HOME names one")]
    NoCache,
    /// A program is missing.
    #[error("there is no {program} here; `scripts/install` installs what guests need")]
    Missing {
        /// The program.
        program: &'static str,
    },
    /// There is no `limactl`.
    #[error("there is no limactl on PATH; install Lima (https://lima-vm.io)")]
    NoLimactl,
    /// `limactl` does not run, or has ended too early.
    #[error("{path} failed: {why}")]
    Limactl {
        /// Where it is.
        path: PathBuf,
        /// What it says.
        why: String,
    },
    /// The image of the guest is not built, or was built by another recipe.
    #[error("the guest {version} is not built; run `racetrap vm build {version}`")]
    NotBuilt {
        /// Which.
        version: GuestVersion,
    },
    /// A run uses the image, or another command changes it.
    #[error("the guest {version} is in use: by a run, or by another build")]
    InUse {
        /// Which.
        version: GuestVersion,
    },
    /// The archive from which the machine's apt gets its packages is not known.
    #[error("no archive of Debian is known")]
    Archive(#[from] AptError),
    /// A step of the recipe failed.
    #[error("{what} failed:\n{output}")]
    Step {
        /// What was tried.
        what: &'static str,
        /// The end of its output.
        output: String,
    },
    /// The guest did not come as far as it must.
    #[error(
        "the guest did not become ready; the end of its console and of its \
             engine's log:\n{console}"
    )]
    NotReady {
        /// What the harness waited for.
        #[source]
        source: NotReached,
        /// The last lines of its serial console, and of the log of its engine if that is elsewhere.
        console: String,
    },
    /// QEMU refused a command, or did not answer.
    #[error("QEMU did not carry out `{command}`: {why}")]
    Qmp {
        /// The command.
        command: String,
        /// Why not.
        why: String,
    },
    /// The guest's agent did not carry out a request.
    #[error("the guest did not carry out `{request}`: {why}")]
    Agent {
        /// The request.
        request: String,
        /// Why not.
        why: String,
    },
    /// A file could not be read, written, locked or removed.
    #[error("{path} could not be used")]
    Io {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}
