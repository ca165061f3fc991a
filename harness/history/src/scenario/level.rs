//! What is waited for.

use serde::{Deserialize, Serialize};

use super::api::MirrorRef;
use super::gate::GateName;
use super::logs::ClientName;

/// A step that changes nothing and waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WaitStep {
    /// Waits for a level.
    Await(Await),
    /// Waits until the world is quiet and proves it; the oracles judge what is there then.
    Settle,
}

/// A level that is waited for; it must hold within the scenario's deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Await {
    /// The mirror of a container, by its name in the engine, in this state.
    Container {
        /// Name in the engine.
        name: String,
        /// `status.status`; any, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
    },
    /// The mirror of a tag.
    Tag(String),
    /// The mirror of a volume.
    Volume(String),
    /// A condition of the App at its present generation.
    Condition {
        /// Its type.
        r#type: String,
        /// Its status, `True`, `False` or `Unknown`.
        status: String,
    },
    /// The mirrors equal the engine's objects.
    Converged,
    /// A mirror is gone.
    Gone(MirrorRef),
    /// A mirror is marked for deletion, and still there.
    Terminating(MirrorRef),
    /// A condition of the App has this reason, at whatever generation.
    Reason {
        /// Its type.
        r#type: String,
        /// Its reason.
        reason: String,
    },
    /// The App says that it wants this engine.
    Wants {
        /// `spec.containerEngine.name`.
        engine: String,
    },
    /// The App says that it shall be stopped.
    WantsStop,
    /// A wish for a container's state was carried out, or told to have failed (contract 4.4).
    Done {
        /// The container's name in the engine.
        container: String,
        /// `status.lastAction.state`.
        state: String,
    },
    /// The docker command's current context; [`OURS`](super::OURS) is the daemon's.
    CurrentContext(String),
    /// Whoever waited for the message at a gate waits no longer.
    GivenUp(GateName),
    /// A client of the log passthrough has got so many lines.
    LogLines {
        /// The client.
        client: ClientName,
        /// How many ends of lines.
        lines: u64,
    },
    /// A client of the log passthrough has its answer, whatever that is.
    LogAnswer(ClientName),
    /// The connection of a client of the log passthrough has ended.
    LogEnd(ClientName),
    /// The daemon has no more than so many streams of logs open on the engine.
    LogStreams(usize),
    /// The engine holds a container in this state.
    Engine {
        /// The container's name.
        container: String,
        /// The engine's word for its state.
        state: String,
    },
    /// The App's VM runs, and has come to run so many times since its LimaVM was made, at least.
    VmStarts(u32),
    /// The engine has sent an event, as the harness saw it on the engine's own socket.
    Event(EngineEventMatch),
}

/// Which events of the engine are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineEventMatch {
    /// `container`, `image`, `volume` or `network`.
    pub r#type: String,
    /// Such as `create`, `die` or `health_status`; what the engine writes behind a colon is left out.
    pub action: String,
    /// The scenario's name of the object; any, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How many of them there are since the run began, at least.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_once(times: &u32) -> bool {
    *times == 1
}
