//! The history of a run, and everything that is computed from it by pure functions.
//!
//! Where to start:
//! - [`Scenario`] and [`Step`]: the language of schedules, for Rust, YAML and replay files.
//! - [`Record`]: one thing that happened; [`journal`] writes and reads records.
//! - [`Steps`]: the steps that records name by index.
//! - [`View`]: the state after some records; live waits and oracles use the same view.
//! - [`oracle`]: functions from a history to the violations of some promises.
//! - [`Verdict`]: what a run proved; [`judge`] computes it.
//! - [`Comparisons`]: the mirrors that the API must have, compared with those that it has, at each record.
//! - [`canon`] and [`timeline`]: the history as text, for snapshots and for people.
//!
//! A module imports only from modules before it in this list: `promise`, `scenario`, `record`,
//! `schedule`, `check`, `verdict`, `journal`, `mirror`, `steps`, `view`, `quiet_state`, `canon`, `comparison`,
//! `oracle`, `timeline`, `judge`, `replay`.
//!
//! Nothing here opens a socket, starts a process, reads a clock or needs a runtime. So today's oracles can
//! judge an old journal.

#![warn(missing_docs)]

pub mod canon;
pub mod journal;
pub mod oracle;
pub mod timeline;

mod check;
mod comparison;
mod judge;
mod mirror;
mod promise;
mod quiet_state;
mod record;
mod replay;
mod scenario;
mod schedule;
mod steps;
mod verdict;
mod view;

pub use check::Check;
pub use comparison::{Comparison, Comparisons};
pub use judge::{has_violation, judge};
pub use mirror::{
    Form, Mirror, MirrorField, MirrorKey, Treatment, compare, expected, mirror_fields,
};
pub use promise::{InvalidPromiseNumber, PromiseNumber};
pub use quiet_state::QuietState;
pub use record::{
    ApiChange, Blame, CONFIG_FILE, CONTEXT_PREFIX, CONTEXTS_DIRECTORY, Change, CommandRun,
    ContainerDetails, DAEMON_PARTS, DaemonKind, DockerContent, DockerFile, DockerUser,
    EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume, Exit, FileAttributes,
    FileChange, Footprint, IMAGE_LABEL, ImageDetails, KUBECONFIG_LISTS, Kubeconfig,
    KubeconfigContent, LogClient, LogCrowdSeen, LogEvent, LogLevel, LogSent, LogTruth, Owner,
    PortBinding, ProcessState, Record, Review, ReviewOutcome, RunHeader, SentStream, SshKeys,
    Stage, StatusCount, TIMED_OUT, UserCommand, UserCommandEnd, UserWrite, VmFiles, VmListener,
    VmProcess, VmProcessChange, VolumeDetails, What, WireMessage, WireSide, WireWhat, WslCall,
    WslChange, WslDistribution,
};
pub use replay::{Replayed, triggers, turns};
pub use scenario::{
    ACTION, About, Action, ApiStep, AppStep, Await, BuildImage, Bystander, Clean, ClientName,
    ClockJump, Codes, CommandName, CommandStep, ContainerOp, Counts, DIGEST, DaemonOp, DaemonStep,
    DiskOp, DockerCommand, DockerFileStep, DockerNeeds, DockerStep, DockerVariable, Door, ENDPOINT,
    EndpointOp, EngineEventMatch, EngineOp, EngineStep, Exec, Fault, FaultKind, FaultName,
    FaultStep, FileOp, FindingId, FirstSteps, GateName, GateStep, GuestDisk, GuestMemory, GuestOp,
    HealthCheck, Hold, HoldWrite, ImagePlatform, KeysOp, KubernetesState, KubernetesStep, LeaveHow,
    LeaveLog, LogCrowd, LogRequest, LogStep, Match, MirrorRef, Moment, Needs, NeighbourStep,
    NewContainer, NewVolume, NoFindingId, NoImagePlatform, OURS, OpenLog, OracleName,
    PROBE_VOLUME_PREFIX, PROGRAM, Phase, Platform, Point, Prints, Protocol, Prune, QuietObjects,
    REGISTRY, RefusedWords, Replay, Returned, RunCommand, SERIAL, STATE, Scenario, Serially,
    SetStep, Side, Step, Streams, Supposes, Unshown, UserObject, UserPatch, VmMode, VmOp,
    VmProcessOp, VmProcessStep, VmRole, WaitStep, WriteMatch, WslCommand, WslEncoding, WslLanguage,
    WslNeeds, WslOp, WslStep, check_program_words, nearest, program_commands, program_ends, words,
};
pub use schedule::ScheduleError;
pub use steps::{ArmedRules, Steps};
pub use verdict::{Excused, Judgement, Unknown, Verdict, Violation};
pub use view::{AppView, LogExchange, LogState, UserCommands, View};
