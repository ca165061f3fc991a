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

fn apply<'a>(
    index: usize,
    step: &'a Step,
    open: &mut BTreeSet<&'a ClientName>,
) -> Result<(), ScheduleError> {
    match step {
        Step::Log(step) => apply_log(index, step, open),
        Step::Wait(WaitStep::Await(
            Await::LogLines { client, .. } | Await::LogAnswer(client) | Await::LogEnd(client),
        )) => require_open(index, client, open),
        Step::Wait(_)
        | Step::Engine(_)
        | Step::Command(_)
        | Step::Api(_)
        | Step::Daemon(_)
        | Step::Neighbour(_)
        | Step::Gate(_)
        | Step::Fault(_)
        | Step::Docker(_)
        | Step::Kubernetes(_) => Ok(()),
    }
}

fn apply_log<'a>(
    index: usize,
    step: &'a LogStep,
    open: &mut BTreeSet<&'a ClientName>,
) -> Result<(), ScheduleError> {
    match step {
        LogStep::Open(OpenLog { client, log, .. }) => {
            asks_for_one(index, log)?;
            if open.insert(client) {
                return Ok(());
            }
            let problem = format!("two clients are called `{client}`");
            Err(ScheduleError::new(index, problem, "another name"))
        }
        LogStep::Crowd(LogCrowd { log, clients, at_once, .. }) => {
            asks_for_one(index, log)?;
            if (1..=*clients).contains(at_once) {
                return Ok(());
            }
            let problem = format!("{at_once} at a time, of {clients} clients");
            Err(ScheduleError::new(index, problem, "at least one, and no more than there are"))
        }
        LogStep::Leave(LeaveLog { client, .. })
        | LogStep::Read(client)
        | LogStep::Compare(client) => require_open(index, client, open),
        LogStep::ReadDiscovery => Ok(()),
    }
}

fn require_open(
    index: usize,
    client: &ClientName,
    open: &BTreeSet<&ClientName>,
) -> Result<(), ScheduleError> {
    if open.contains(client) {
        return Ok(());
    }
    let problem = format!("no client is called `{client}` here");
    Err(ScheduleError::new(index, problem, "an earlier `open_log` with this name"))
}

fn asks_for_one(index: usize, log: &LogRequest) -> Result<(), ScheduleError> {
    if log.of.is_some() != log.path.is_some() {
        return Ok(());
    }
    let problem = "a client asks for the log of a container, or for a path";
    Err(ScheduleError::new(index, problem, "either `of` or `path`"))
}
