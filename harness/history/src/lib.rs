//! The record of a run, and everything that is a pure function of it.
//!
//! Where to start:
//! - [`Scenario`] and [`Step`]: the one language of schedules, for Rust, YAML and replay files.
//! - [`Record`]: one thing that happened; [`journal`] writes and reads them.
//! - [`View`]: the state that a prefix of the history implies; live waits and oracles share it.
//! - [`oracle`]: promises, each a function from a history to its violations.
//! - [`Verdict`]: what a run proved; [`judge`] computes it.
//! - [`canon`] and [`timeline`]: the same history as text, for snapshots and for people.
//!
//! Nothing here opens a socket, starts a process, reads a clock or needs a runtime, so that last
//! night's journal can be judged by today's oracles.

#![warn(missing_docs)]

pub mod canon;
pub mod journal;
pub mod oracle;
pub mod timeline;

mod engine;
mod mirror;
mod record;
mod scenario;
mod schedule;
mod verdict;
mod view;

pub use engine::{EngineContainer, EngineEvent, EngineImage, EngineState, EngineVolume};
pub use mirror::{Mirror, MirrorKey, compare, expected};
pub use record::{
    ApiChange, Blame, Change, CommandRun, PROBE_VOLUME_PREFIX, ProcessState, Record, RunHeader,
    Stage, What, WireMessage, WireWhat,
};
pub use scenario::{
    About, AppStep, Await, ContainerOp, EngineOp, FindingId, GateName, Hold, Match, Needs,
    NoFindingId, OracleName, Phase, Platform, Point, Scenario, SetStep, Step, Streams, VmMode,
};
pub use schedule::ScheduleError;
pub use verdict::{Judgement, Verdict, Violation, judge};
pub use view::{AppView, View};
