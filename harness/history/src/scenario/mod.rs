//! The one language of schedules: what a Rust test builds, a YAML file holds, and a journal's header
//! contains.
//!
//! - `document`: a whole scenario;
//! - `clean`: what runs without the scenario's disturbance have shown;
//! - `needs`: what its world must offer;
//! - `finding`: what is known of a finding, and what must hold where it is repaired;
//! - `step`: one thing that a scenario does; each kind of step belongs to one part:
//!   - `engine`: users of the engine, and the engine's process;
//!   - `container`: what a new container consists of; `program`: the words of the program in it;
//!   - `command`: the daemon's command line;
//!   - `api`: users of the daemon's API, and which of their writes a match means;
//!   - `daemon`: the daemon's process and its VM;
//!   - `gate`: gates that hold messages and writes;
//!   - `fault`: what goes wrong between daemon, engine and clients;
//!   - `docker`: users of the docker command, and their configuration;
//!   - `logs`: clients of the daemon's log passthrough;
//!   - `level`: what is waited for;
//! - `supposes`: what a scenario supposes of the daemon;
//! - `control`: the same scenario without its fault;
//! - `message`: which messages on a wire are meant, and where on their way;
//! - `variants`: the words of the language, by the types that it consists of;
//! - `nearest`: which known name a misspelt one resembles.

mod api;
mod clean;
mod command;
mod container;
mod control;
mod daemon;
mod docker;
mod document;
mod engine;
mod fault;
mod finding;
mod gate;
mod image_platform;
mod kubernetes;
mod level;
mod logs;
mod message;
mod nearest;
mod needs;
mod program;
mod step;
mod supposes;
mod variants;
mod wsl;

pub use self::api::{
    ACTION, Action, ApiStep, MirrorRef, Protocol, STATE, UserObject, UserPatch, WriteMatch,
};
pub use self::clean::{Clean, Counts, FirstSteps, QuietObjects};
pub use self::command::{AppStep, Codes, CommandName, CommandStep, Returned, RunCommand, SetStep};
pub use self::container::{HealthCheck, NewContainer, Prints};
pub(crate) use self::daemon::APP_VM;
pub use self::daemon::{
    Bystander, DaemonOp, DaemonStep, KeysOp, VmOp, VmProcessOp, VmProcessStep, VmRole,
};
pub use self::docker::{
    DIGEST, DiskOp, DockerCommand, DockerFileStep, DockerNeeds, DockerStep, DockerVariable,
    ENDPOINT, EndpointOp, FileOp, Moment, OURS, REGISTRY,
};
pub use self::document::{Replay, Scenario};
pub use self::engine::{
    BuildImage, ClockJump, ContainerOp, EngineOp, EngineStep, Exec, GuestDisk, GuestMemory,
    GuestOp, NewVolume, PROBE_VOLUME_PREFIX, Prune,
};
pub use self::fault::{Fault, FaultKind, FaultName, FaultStep};
pub use self::finding::{About, FindingId, NoFindingId, OracleName, Platform, Unshown};
pub use self::gate::{GateName, GateStep, Hold, HoldWrite, SERIAL, Serially};
pub use self::image_platform::{ImagePlatform, NoImagePlatform};
pub use self::kubernetes::{KubernetesState, KubernetesStep};
pub use self::level::{Await, EngineEventMatch, WaitStep};
pub use self::logs::{
    ClientName, Door, LeaveHow, LeaveLog, LogCrowd, LogRequest, LogStep, OpenLog,
};
pub use self::message::{Match, Phase, Point, Side, Streams};
pub use self::nearest::nearest;
pub use self::needs::{Needs, VmMode};
pub use self::program::{
    PROGRAM, RefusedWords, check_program_words, program_commands, program_ends,
};
pub use self::step::{NeighbourStep, Step};
pub use self::supposes::Supposes;
pub use self::variants::words;
pub use self::wsl::{WslCommand, WslEncoding, WslLanguage, WslNeeds, WslOp, WslStep};
