//! Starts QEMU, and gives a fork what it must have of its own.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::engine::config::EngineConfig;
use crate::engine::error::EngineError;
use crate::process::{Child, Spawn, log_tail, run_with_input};
use crate::recorder::Recorder;
use crate::sys::{Identity, random};
use crate::vm::{Agent, Machine, Qmp, Template};
use crate::wait::polled;

/// How long QEMU and its tools may take.
pub(super) const MACHINE_LIMIT: Duration = Duration::from_secs(30);

/// How long the guest may take for a request, when many machines share the processors.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// Makes the disk of the fork, which contains what differs from the template's.
pub(super) async fn make_disk(
    template: &Template,
    machine: &Machine,
    config: &EngineConfig,
) -> Result<(), EngineError> {
    let failed = |source| EngineError::Process { what: "given a disk", source };
    let spawn = Spawn {
        name: "engine-disk",
        program: "qemu-img".into(),
        arguments: template.disk_arguments(&machine.files.disk()),
        environment: &config.environment,
        log: None,
    };
    let made = run_with_input(&spawn, &[], MACHINE_LIMIT).await.map_err(failed)?;
    let run = made.map_err(|late| failed(io::Error::other(late)))?;
    if run.exit.is_success() { Ok(()) } else { Err(failed(io::Error::other(run.stderr))) }
}

/// Starts QEMU, and waits until it listens for commands. With `is_fork`, it waits for the state of
/// the template; otherwise it boots from its disk.
#[expect(clippy::too_many_arguments, reason = "each is another part of the world")]
pub(super) async fn launch(
    template: &Template,
    machine: &Machine,
    is_fork: bool,
    config: &EngineConfig,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let failed = |source| EngineError::Process { what: "given a machine", source };
    let spawn = Spawn {
        name: "engine-machine",
        program: template.qemu().to_owned(),
        arguments: machine.arguments(is_fork),
        environment: &config.environment,
        log: Some(machine.files.console().to_owned()),
    };
    let qemu = Child::start(&spawn, tasks, recorder).map_err(failed)?;
    let qmp = Qmp::new(&machine.files.qmp());
    let listening = polled("QEMU to listen", MACHINE_LIMIT, async || {
        if let Some(how) = qemu.ended() {
            return ControlFlow::Break(Err(how));
        }
        match qmp.run("query-status", json!({})).await {
            Ok(_) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Continue(error.to_string()),
        }
    });
    let why = match listening.await {
        Ok(Ok(())) => return Ok(qemu),
        Ok(Err(how)) => format!("QEMU ended: {how}; {}", log_tail(machine.files.console())),
        Err(error) => error.to_string(),
    };
    Err(failed(io::Error::other(why)))
}

/// Gives a fork the time, and random numbers that no other fork has.
pub(super) async fn refresh(agent: &Agent, recorder: &Recorder) -> Result<(), EngineError> {
    let bytes = random().map_err(|source| EngineError::Process { what: "seeded", source })?;
    agent.request(&format!("seed {}", hex::encode(bytes)), REQUEST_LIMIT).await?;
    let now = Clock::start().unix_time();
    agent.request(&format!("clock {}", now.replace('.', " ")), REQUEST_LIMIT).await?;
    recorder.note(format!("the guest's clock was set to {now}"));
    Ok(())
}

/// The guest's dockerd, by its process ID in the guest. It is no process of this machine, so it has
/// no start time.
pub(super) async fn engine_process(agent: &Agent) -> Result<Identity, EngineError> {
    let pid = agent.run("engine pid", REQUEST_LIMIT).await?;
    Ok(Identity { pid: pid.trim().parse().unwrap_or_default(), started: 0 })
}
