//! Why an error in the log is excused.

use std::fmt;

use super::complaint::Kind;

/// What the schedule or the engine did to the daemon, by which the daemon's errors are explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The daemon starts or stops.
    DaemonMoves,
    /// The App starts or stops.
    AppMoves,
    /// The daemon connects to its engine anew, and gives up what it was doing.
    Reconnects,
    /// A connection to the engine was cut, or the engine could not be reached.
    EngineLost,
    /// The engine refused a request.
    Refused,
    /// A rule answered a request with an error.
    AnsweredByRule,
    /// A rule changed what the engine sent, or injected a frame.
    Distorted,
    /// A rule changed a message; the history does not say how.
    AnyRule,
    /// The daemon stopped waiting for a message that a gate held.
    GivenUp,
    /// The harness's admission denied or held a write.
    Admission,
    /// Somebody else's finalizer keeps a mirror.
    MirrorKept,
    /// A user of the engine removed the object.
    Removed,
    /// A client left, or its connection was cut.
    ClientLeft,
    /// A file of the docker command's configuration cannot be used.
    FileUnusable,
    /// A step decided that a call of `wsl.exe` hangs or fails.
    WslScripted,
    /// The disk of the docker command's configuration is full.
    DiskFull,
    /// The disk of the docker command's configuration is read-only.
    DiskReadOnly,
}

impl Reason {
    /// Whether an error of this kind follows from it.
    pub(super) fn explains(self, kind: Kind) -> bool {
        let kinds: &[Kind] = match self {
            Self::DaemonMoves => &[
                Kind::Starting,
                Kind::ApiConnection,
                Kind::NotInApi,
                Kind::Connection,
                Kind::Cancelled,
                Kind::TimedOut,
            ],
            Self::AppMoves => &[Kind::Connection, Kind::Cancelled],
            Self::Reconnects => &[Kind::Cancelled],
            Self::EngineLost => &[Kind::Connection, Kind::Cancelled, Kind::TimedOut],
            Self::Refused => &[Kind::Answer],
            Self::AnsweredByRule => &[Kind::Answer, Kind::NotFound],
            Self::Distorted => &[Kind::Malformed, Kind::Connection],
            Self::AnyRule => &[
                Kind::Answer,
                Kind::NotFound,
                Kind::Malformed,
                Kind::Connection,
                Kind::Cancelled,
                Kind::TimedOut,
            ],
            Self::GivenUp => &[Kind::Connection, Kind::Cancelled, Kind::TimedOut],
            Self::Admission => &[Kind::Denied, Kind::Cancelled, Kind::TimedOut],
            Self::MirrorKept => &[Kind::Kept, Kind::TimedOut],
            Self::Removed => &[Kind::NotFound],
            Self::ClientLeft => &[Kind::ApiConnection, Kind::Connection, Kind::Cancelled],
            Self::FileUnusable => &[Kind::ConfigurationRead, Kind::ConfigurationObstructed],
            Self::WslScripted => &[Kind::Wsl],
            Self::DiskFull => &[Kind::NoSpace],
            Self::DiskReadOnly => &[Kind::ReadOnly],
        };
        kinds.contains(&kind)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DaemonMoves => "the daemon was started or stopped",
            Self::AppMoves => "the App was started or stopped",
            Self::Reconnects => "the daemon connected to its engine anew",
            Self::EngineLost => "the engine could not be reached, or a connection to it was cut",
            Self::Refused => "the engine refused a request",
            Self::AnsweredByRule => "a rule answered a request with an error",
            Self::Distorted => "a rule changed what the engine sent",
            Self::AnyRule => "a rule changed a message",
            Self::GivenUp => "the daemon stopped waiting for a message that a gate held",
            Self::Admission => "admission denied or held a write",
            Self::MirrorKept => "a finalizer that is not the daemon's kept a mirror",
            Self::Removed => "a user of the engine removed the object",
            Self::ClientLeft => "a client left, or its connection was cut",
            Self::FileUnusable => "a file of the docker command's configuration could not be used",
            Self::WslScripted => "a call of wsl.exe was to hang or to fail",
            Self::DiskFull => "the disk of the docker command's configuration was full",
            Self::DiskReadOnly => "the disk of the docker command's configuration was read-only",
        })
    }
}
