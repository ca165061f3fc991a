//! Clients of the log passthrough come before they go, ask for one thing, and have names of their own.

use std::collections::BTreeSet;

use super::error::ScheduleError;
use crate::scenario::{
    Await, ClientName, LeaveLog, LogCrowd, LogRequest, LogStep, OpenLog, Scenario, Step, WaitStep,
};

/// Refuses clients that nobody opened, that two steps open, and that ask for nothing or for two things.
pub(super) fn check(scenario: &Scenario) -> Result<(), ScheduleError> {
    let mut open = BTreeSet::new();
    scenario.steps.iter().enumerate().try_for_each(|(index, step)| apply(index, step, &mut open))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps are about clients")]
fn apply<'a>(
    index: usize,
    step: &'a Step,
    open: &mut BTreeSet<&'a ClientName>,
) -> Result<(), ScheduleError> {
    match step {
        Step::Log(LogStep::Open(OpenLog { client, log, .. })) => {
            asks_for_one(index, log)?;
            if open.insert(client) {
                return Ok(());
            }
            Err(ScheduleError::new(
                index,
                format!("two clients are called `{client}`"),
                "another name",
            ))
        }
        Step::Log(LogStep::Crowd(LogCrowd { log, clients, at_once, .. })) => {
            asks_for_one(index, log)?;
            if (1..=*clients).contains(at_once) {
                return Ok(());
            }
            let problem = format!("{at_once} at a time, of {clients} clients");
            Err(ScheduleError::new(index, problem, "at least one, and no more than there are"))
        }
        Step::Log(
            LogStep::Leave(LeaveLog { client, .. })
            | LogStep::Read(client)
            | LogStep::Compare(client),
        )
        | Step::Wait(WaitStep::Await(Await::LogLines { client, .. } | Await::LogEnd(client)))
            if !open.contains(client) =>
        {
            let problem = format!("no client is called `{client}` here");
            Err(ScheduleError::new(index, problem, "an earlier `open_log` with this name"))
        }
        _ => Ok(()),
    }
}

fn asks_for_one(index: usize, log: &LogRequest) -> Result<(), ScheduleError> {
    if log.of.is_some() != log.path.is_some() {
        return Ok(());
    }
    let problem = "a client asks for the log of a container, or for a path";
    Err(ScheduleError::new(index, problem, "either `of` or `path`"))
}
