//! What can happen in a run, as records.
//!
//! - `what`: one record, and all kinds of records;
//! - `header`: the first record; `cell`: the daemons that a matrix runs;
//! - `wire`: messages on the wires;
//! - `api`: objects of the daemon's API, and writes to them;
//! - `process`: processes and commands, and how they ended;
//! - `engine`: what the engine holds and reports;
//! - `vm`: processes and files of the VMs that the daemon runs;
//! - `docker`: the docker command's configuration and its user;
//! - `kubernetes`: the guest's Kubernetes, and the user's kubeconfig;
//! - `logs`: clients of the daemon's log passthrough.

mod api;
mod cell;
mod docker;
mod engine;
mod header;
mod kubernetes;
mod logs;
mod process;
mod vm;
mod what;
mod wire;
mod wsl;

pub use self::api::{ApiChange, Change, Review, ReviewOutcome, UserWrite};
pub use self::cell::DaemonKind;
pub use self::docker::{
    CONFIG_FILE, CONTEXT_PREFIX, CONTEXTS_DIRECTORY, DockerContent, DockerFile, DockerUser,
    FileAttributes, FileChange, UserCommand, UserCommandEnd,
};
pub use self::engine::{
    ContainerDetails, EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume,
    IMAGE_LABEL, ImageDetails, PortBinding, VolumeDetails,
};
pub use self::header::RunHeader;
pub use self::kubernetes::{KUBECONFIG_LISTS, Kubeconfig, KubeconfigContent};
pub use self::logs::{
    Footprint, LogClient, LogCrowdSeen, LogEvent, LogSent, LogTruth, SentStream, StatusCount,
};
pub use self::process::{CommandRun, DAEMON_PARTS, Exit, ProcessState, TIMED_OUT};
pub use self::vm::{SshKeys, VmFiles, VmListener, VmProcess, VmProcessChange};
pub use self::what::{Blame, LogLevel, Owner, Record, Stage, What};
pub use self::wire::{WireMessage, WireSide, WireWhat};
pub use self::wsl::{WslCall, WslChange, WslDistribution};
