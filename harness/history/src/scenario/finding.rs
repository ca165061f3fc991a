//! What is known of a finding, beside the schedule that shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::promise::PromiseNumber;

/// Identity of a finding, such as `295-I3`: the review's number, then its own name of the finding.
///
/// It names files, so it is 1 to 64 letters, digits, `-`, `_` and `.`, and begins with none of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct FindingId(String);

/// A text that is no finding's identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no id of a finding: 1 to 64 letters, digits, `-`, `_` or `.`, the first one a letter or digit"
)]
pub struct NoFindingId(String);

impl FindingId {
    /// The identity as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FindingId {
    type Error = NoFindingId;

    fn try_from(text: String) -> Result<Self, NoFindingId> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= 64 && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err(NoFindingId(text))
        }
    }
}

impl std::str::FromStr for FindingId {
    type Err = NoFindingId;

    fn from_str(text: &str) -> Result<Self, NoFindingId> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What the catalogue says of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// One line: what goes wrong.
    pub title: String,
    /// Where the finding comes from.
    pub source: String,
    /// What a broken daemon does, as seen from outside.
    pub broken: String,
    /// What a correct daemon does.
    pub correct: String,
    /// The oracle that a broken daemon must trip.
    pub oracle: OracleName,
    /// Promises of the contract that the schedule puts to the test. Every entry of the catalogue names at
    /// least one; a file without the key, such as a journal of an older version, can still be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<PromiseNumber>,
    /// The defect of the reference daemon that puts the bug back.
    pub defect: String,
    /// A defect that this schedule must not be disturbed by.
    pub unrelated: String,
    /// Other findings, and gaps in tests that a review named, which this schedule shows as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<FindingId>,
    /// Where the finding can be shown.
    #[serde(default = "linux_only")]
    pub platforms: Vec<Platform>,
}

/// A finding that is listed, and not run: what a schedule would need is not to be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unshown {
    /// The finding.
    pub finding: FindingId,
    /// One line: what goes wrong.
    pub title: String,
    /// Where the finding comes from.
    pub source: String,
    /// What a broken daemon does, as seen from outside.
    pub broken: String,
    /// What a correct daemon does.
    pub correct: String,
    /// Where the finding could be shown; nowhere, where it is none of a running daemon.
    pub platforms: Vec<Platform>,
    /// Why no schedule shows it here.
    pub unshown: String,
}

fn linux_only() -> Vec<Platform> {
    vec![Platform::Linux]
}

/// A promise that is judged; each is one file of [`crate::oracle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OracleName {
    /// Mirrors equal the engine's objects once the world is quiet.
    Convergence,
    /// An object that lived throughout keeps its mirror and the mirror's UID.
    Identity,
    /// A condition, and a command that returned, imply the state that they promise.
    TruthfulConditions,
    /// What a user wrote into the daemon's API stays there.
    NoLostUpdate,
    /// What the daemon does is bounded by what it was given to do; idle time costs nothing.
    BoundedWork,
    /// An object of the engine has its mirror created once, and deleted once.
    Counts,
    /// Objects of the daemon's API have the form that their clients rely on.
    ObjectForm,
    /// The daemon asks the engine in the promised words and order.
    EngineRequests,
    /// A command of the daemon prints what it promises, and ends with the promised code.
    CommandLine,
    /// What the daemon began is gone when it has stopped.
    Hygiene,
    /// A VM has one hostagent, stops in time, and leaves neither processes nor files; nobody else is
    /// signalled.
    VmLifecycle,
    /// The docker command's configuration is whole at every instant, and stays the user's.
    DockerConfigIntegrity,
    /// The user's kubeconfig has the daemon's entries while they lead somewhere, and stays the user's.
    KubeconfigIntegrity,
    /// Who asks for a log gets the engine's bytes, in time, and costs nothing when he has gone.
    LogFidelity,
    /// The log has no panic and no secret, and an error only where there was one.
    QuietLogs,
    /// What was asked for is reached within the deadline, and the daemon lives.
    Liveness,
    /// A restart of the daemon in a quiet world changes nothing.
    Healing,
    /// A disturbance that is over has left no trace.
    CleanRuns,
}

impl OracleName {
    /// All names, in their order.
    pub const ALL: [Self; 18] = [
        Self::Convergence,
        Self::Identity,
        Self::TruthfulConditions,
        Self::NoLostUpdate,
        Self::BoundedWork,
        Self::Counts,
        Self::ObjectForm,
        Self::EngineRequests,
        Self::CommandLine,
        Self::Hygiene,
        Self::VmLifecycle,
        Self::DockerConfigIntegrity,
        Self::KubeconfigIntegrity,
        Self::LogFidelity,
        Self::QuietLogs,
        Self::Liveness,
        Self::Healing,
        Self::CleanRuns,
    ];
}

impl fmt::Display for OracleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Convergence => "convergence",
            Self::Identity => "identity",
            Self::TruthfulConditions => "truthful_conditions",
            Self::NoLostUpdate => "no_lost_update",
            Self::BoundedWork => "bounded_work",
            Self::Counts => "counts",
            Self::ObjectForm => "object_form",
            Self::EngineRequests => "engine_requests",
            Self::CommandLine => "command_line",
            Self::Hygiene => "hygiene",
            Self::VmLifecycle => "vm_lifecycle",
            Self::DockerConfigIntegrity => "docker_config_integrity",
            Self::KubeconfigIntegrity => "kubeconfig_integrity",
            Self::LogFidelity => "log_fidelity",
            Self::QuietLogs => "quiet_logs",
            Self::Liveness => "liveness",
            Self::Healing => "healing",
            Self::CleanRuns => "clean_runs",
        })
    }
}

/// An operating system on which a finding can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Any Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Linux => "Linux",
            Self::Macos => "macOS",
            Self::Windows => "Windows",
        })
    }
}
