//! The record of a run, and everything that is a pure function of it.
//!
//! Where to start:
//! - [`Scenario`] and [`Step`]: the one language of schedules, for Rust, YAML and replay files.
//! - [`Record`]: one thing that happened; [`journal`] writes and reads them.
//! - [`View`]: the state that a prefix of the history implies; live waits and oracles share it.
//! - [`oracle`]: promises, each a function from a history to its violations.
//! - [`Verdict`]: what a run proved; [`judge`] computes it.
//! - [`Comparisons`]: mirrors that must be beside those that are, at each record.
//! - [`canon`] and [`timeline`]: the same history as text, for snapshots and for people.
//!
//! Nothing here opens a socket, starts a process, reads a clock or needs a runtime, so that last
//! night's journal can be judged by today's oracles.

#![warn(missing_docs)]

pub mod canon;
pub mod journal;
pub mod oracle;
pub mod timeline;

mod comparison;
mod control;
mod docker;
mod engine;
mod logs;
mod mirror;
mod pending;
mod promise;
mod record;
mod scenario;
mod schedule;
mod verdict;
mod view;

pub use comparison::{Comparison, Comparisons};
pub use docker::{
    CONFIG_FILE, CONTEXT_PREFIX, DockerContent, DockerFile, DockerUser, FileChange, UserCommand,
    UserCommandEnd,
};
pub use engine::{EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume};
pub use logs::{Footprint, LogClient, LogCrowdSeen, LogEvent, LogTruth};
pub use mirror::{Mirror, MirrorKey, compare, expected};
pub use promise::{InvalidPromiseNumber, PromiseNumber};
pub use record::{
    ApiChange, Blame, Change, CommandRun, DAEMON_PARTS, LogLevel, Owner, PROBE_VOLUME_PREFIX,
    ProcessState, Record, Review, RunHeader, Stage, UserWrite, What, WireMessage, WireWhat,
};
pub use scenario::{
    ACTION, About, Action, AppStep, Await, ClientName, Codes, CommandName, ContainerOp, DaemonOp,
    DiskOp, DockerFileStep, DockerNeeds, DockerStep, DockerVariable, Door, ENDPOINT, EndpointOp,
    EngineOp, Fault, FaultKind, FaultName, FileOp, FindingId, GateName, Hold, HoldWrite, LeaveHow,
    LeaveLog, LogCrowd, LogRequest, Match, MirrorRef, Moment, Needs, NoFindingId, OURS, OpenLog,
    OracleName, Phase, Platform, Point, Prints, Protocol, REGISTRY, Returned, Scenario, SetStep,
    Side, Step, Streams, Unshown, UserObject, UserPatch, VmMode, VmOp, WriteMatch,
};
pub use schedule::ScheduleError;
pub use verdict::{Judgement, Verdict, Violation, judge};
pub use view::{AppView, LogState, View};
