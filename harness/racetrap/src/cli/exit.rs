//! The published exit codes.

use std::process::ExitCode;

use miette::Report;
use racetrap_history::Verdict;

use crate::catalogue::{CatalogueError, SelectorError};
use crate::contract::ContractError;
use crate::daemon::DaemonError;
use crate::report::{NotWritten, tell};
use crate::run::RunError;
use crate::scenario_file::{Invalid, ScenarioFileError, SeveralBadFiles};
use crate::search::TokenError;
use crate::workloads::WorkloadError;
use crate::world::WorldError;

/// The exit codes of the command. They are published: a number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything is as it must be: every run passed, every cell is right, nothing is missing.
    Success = 0,
    /// A promise was broken, or a cell is wrong.
    Broken = 1,
    /// Bad usage or bad input.
    Usage = 2,
    /// Nothing failed, but something is unknown.
    Unknown = 3,
    /// The machine lacks something that is needed, or the report could not be written.
    Machine = 4,
    /// A bug of the harness.
    Internal = 70,
    /// Ended at once by a second request to stop, before its worlds were closed.
    Stopped = 130,
}

/// The exit codes as `--help` shows them.
pub(super) const HELP: &str = "\
Exit codes:
  0    all is as it must be
  1    a promise was broken, or a cell of the matrix is wrong
  2    bad usage or bad input
  3    nothing failed, but something is unknown
  4    the machine lacks something that is needed, or the report could not be written
  70   a bug of racetrap
  130  a second request to stop: ended at once, its worlds are swept";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::NotApplicable => Self::Success,
            Verdict::Unknown => Self::Unknown,
            Verdict::Fail => Self::Broken,
        }
    }
}

/// Why the command ends without a result.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) report: Report,
}

impl Failure {
    /// The user asked for something impossible or named something that does not exist.
    pub(super) fn usage(report: Report) -> Self {
        Self { exit: Exit::Usage, report }
    }

    /// The machine lacks something.
    pub(super) fn machine(report: Report) -> Self {
        Self { exit: Exit::Machine, report }
    }
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        Self::usage(error.into())
    }
}

impl From<ScenarioFileError> for Failure {
    fn from(error: ScenarioFileError) -> Self {
        Self::usage(error.into())
    }
}

impl From<Vec<ScenarioFileError>> for Failure {
    fn from(mut errors: Vec<ScenarioFileError>) -> Self {
        match errors.pop() {
            Some(only) if errors.is_empty() => only.into(),
            last => {
                errors.extend(last);
                Self::usage(SeveralBadFiles { errors }.into())
            }
        }
    }
}

impl From<Box<Invalid>> for Failure {
    fn from(error: Box<Invalid>) -> Self {
        ScenarioFileError::from(error).into()
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::usage(error.into())
    }
}

impl From<NotWritten> for Failure {
    fn from(error: NotWritten) -> Self {
        Self::machine(Report::from_err(error))
    }
}

impl From<ContractError> for Failure {
    fn from(error: ContractError) -> Self {
        Self { exit: Exit::Internal, report: Report::from_err(error) }
    }
}

impl From<WorkloadError> for Failure {
    fn from(error: WorkloadError) -> Self {
        Self { exit: Exit::Internal, report: Report::from_err(error) }
    }
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        Self { exit: Exit::Internal, report: Report::from_err(error) }
    }
}

/// The result of a command that has also written reports. What could not be written is told; it is the
/// result only if nothing worse has happened, so that it never hides a broken promise.
pub(super) fn conclude(
    exit: Exit,
    written: impl IntoIterator<Item = Result<(), Failure>>,
) -> Result<Exit, Failure> {
    let mut first = None;
    for failure in written.into_iter().filter_map(Result::err) {
        match first {
            None if !matches!(exit, Exit::Broken | Exit::Internal) => first = Some(failure),
            Some(_) | None => tell(&format!("{:?}", failure.report)),
        }
    }
    first.map_or(Ok(exit), Err)
}

/// The exit code for a run that could not begin. If the daemon did not start, or the run was
/// stopped before its world was made, the run proves nothing, so that is `Unknown`; other causes
/// are the machine's.
pub(super) fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::World {
            source: WorldError::Daemon(DaemonError::NoProgram { .. } | DaemonError::NoVmFiles(_)),
            ..
        } => Exit::Machine,
        RunError::World { source: WorldError::Daemon(_), .. } | RunError::Ended { .. } => {
            Exit::Unknown
        }
        RunError::World { .. } | RunError::Evidence { .. } => Exit::Machine,
        RunError::Leaked { .. } => Exit::Internal,
    }
}

#[cfg(test)]
mod tests {
    use miette::miette;

    use super::*;

    /// A report that could not be written is the result of a command that is otherwise fine, and must not
    /// replace the exit code of a broken promise.
    #[test]
    fn a_report_that_could_not_be_written_hides_no_broken_promise() {
        let failed = || Err(Failure::machine(miette!("no room")));
        for (exit, expected) in [
            (Exit::Success, Exit::Machine),
            (Exit::Unknown, Exit::Machine),
            (Exit::Broken, Exit::Broken),
            (Exit::Internal, Exit::Internal),
        ] {
            let ended = conclude(exit, [Ok(()), failed(), failed()]);
            assert_eq!(ended.unwrap_or_else(|failure| failure.exit), expected);
            assert_eq!(conclude(exit, [Ok(())]).expect("all was written"), exit);
        }
    }
}
