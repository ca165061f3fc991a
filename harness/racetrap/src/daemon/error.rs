//! Why the harness could not drive the daemon.

use std::io;
use std::path::PathBuf;

use racetrap_history::{VmMode, VmRole};

use super::api::ApiError;
use crate::wait::NotReached;

/// The harness could not drive the daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The path of the daemon's program names no file.
    #[error("there is no daemon program at {0}")]
    Missing(PathBuf),
    /// A program of the daemon could not be started or signalled.
    #[error("{program} could not be run")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A command of the daemon that must exit with 0 did not.
    #[error("the daemon's command `{command}` exited with {exit}; its output was:\n{output}")]
    Command {
        /// The arguments.
        command: String,
        /// How it ended, such as `code 1` or `a signal`.
        exit: String,
        /// Standard error of the command, followed by the last lines of the daemon's log if it has
        /// one.
        output: String,
    },
    /// The daemon did not reach a state within its time limit.
    #[error("the daemon did not reach the expected state in time")]
    NotReached(#[from] NotReached),
    /// A request to the daemon's API failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The daemon has no process that belongs to its world.
    #[error("the daemon's pid file names no running process of its world")]
    NoProcess,
    /// The daemon cannot be run in the VM mode.
    #[error("the daemon cannot run in VM mode {mode}: {why}")]
    VmMode {
        /// The mode.
        mode: VmMode,
        /// What prevents it.
        why: String,
    },
    /// The machine lacks a program that the daemon's Lima needs.
    #[error("the daemon's Lima needs {program}, which is not on PATH (package {package})")]
    NoProgram {
        /// The program.
        program: &'static str,
        /// The package of Debian and Ubuntu that has it.
        package: &'static str,
    },
    /// A step is about a process of a VM that does not run.
    #[error("the daemon runs no {role} of the VM {vm}")]
    NoVmProcess {
        /// Name of the VM.
        vm: String,
        /// What the process is to it.
        role: VmRole,
    },
    /// A file or a process of the daemon's Lima could not be read, changed or signalled.
    #[error("the files of the daemon's Lima could not be used")]
    NoVmFiles(#[source] io::Error),
    /// The database of the daemon's first start could not be copied.
    #[error("the daemon's database could not be copied")]
    Database(#[source] io::Error),
    /// The scenario needs stand-alone controllers, and their program is missing.
    #[error(
        "the scenario needs the daemon's program `containers-controller`, and {0} does not exist"
    )]
    NoControllers(PathBuf),
    /// The daemon would use a path outside its world, which may belong to the user.
    #[error("the daemon's `svc paths` names {path} as its {key}, which is outside its world")]
    Outside {
        /// The name of the path.
        key: String,
        /// The path.
        path: PathBuf,
    },
    /// `svc paths` lacks a path that the contract requires.
    #[error("the daemon's `svc paths` does not name its {0}")]
    Path(&'static str),
}
