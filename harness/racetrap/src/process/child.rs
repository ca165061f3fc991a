//! The only place that starts processes: each in its own group, with an environment of the world's.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use racetrap_history::{CommandRun, Exit, ProcessState, What};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::environment::Environment;
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, signal_of};
use crate::wait::NotReached;

/// What to start.
#[derive(Debug)]
pub(crate) struct Spawn<'a> {
    /// Its part in the world, such as `engine`.
    pub(crate) name: &'static str,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its environment, whole.
    pub(crate) environment: &'a Environment,
    /// Where its output goes, appended; nowhere, if none.
    pub(crate) log: Option<PathBuf>,
}

/// A process that was started and is looked after until its end.
#[derive(Debug)]
pub(crate) struct Child {
    identity: Identity,
    expected: Arc<AtomicBool>,
    ended: watch::Receiver<Option<Exit>>,
}

impl Child {
    /// Starts a process; a task in `tasks` waits for its end and records it.
    pub(crate) fn start(
        spawn: &Spawn<'_>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let mut process = command(spawn)?;
        let output = || match &spawn.log {
            Some(path) => Ok(File::options().create(true).append(true).open(path)?.into()),
            None => io::Result::Ok(Stdio::null()),
        };
        process.stdout(output()?).stderr(output()?);
        #[expect(clippy::disallowed_methods, reason = "this is the owner of processes")]
        let mut child = process.spawn()?;
        let pid = child.id().expect("a process that was not waited for has an ID");
        // It may have ended already; its ID is not given away before it is waited for.
        let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
        let record = move |recorder: &Recorder, name: &str, state| {
            let started = identity.started;
            recorder.append(What::Process { name: name.to_owned(), pid, started, state });
        };
        record(recorder, spawn.name, ProcessState::Started);
        let expected = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(None);
        let (name, recorder, asked) = (spawn.name, recorder.clone(), expected.clone());
        tasks.spawn(async move {
            let exit = child.wait().await;
            let exit = exit.map_or_else(|error| Exit::Unknown(error.to_string()), exit_of);
            let state = if asked.load(Ordering::SeqCst) {
                ProcessState::Stopped
            } else {
                ProcessState::Died { exit: exit.clone() }
            };
            record(&recorder, name, state);
            end.send_replace(Some(exit));
        });
        Ok(Self { identity, expected, ended })
    }

    /// Which process it is.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// From here on its end is no surprise.
    pub(crate) fn expect_end(&self) {
        self.expected.store(true, Ordering::SeqCst);
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.borrow().as_ref().map(ToString::to_string)
    }

    /// Sends a signal that ends it, and waits for its end.
    pub(crate) async fn end(&mut self, signal: Signal, limit: Duration) -> Result<(), EndError> {
        self.expect_end();
        self.identity.signal(signal)?;
        self.wait_for_end(limit).await
    }

    /// Waits for its end.
    pub(crate) async fn wait_for_end(&mut self, limit: Duration) -> Result<(), EndError> {
        let pid = self.identity.pid;
        match tokio::time::timeout(limit, self.ended.wait_for(Option::is_some)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(EndError::StillRuns { pid, limit }),
        }
    }
}

/// A process that should have ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    #[error("process {pid} still runs {limit:?} after it was told to end")]
    StillRuns { pid: u32, limit: Duration },
    #[error("it could not be signalled")]
    Signal(#[from] io::Error),
}

/// How a command ended, or that it could not be waited for.
pub(crate) type Ended = io::Result<Result<CommandRun, NotReached>>;

/// A command that was begun, for whoever wants to interrupt it.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    identity: Option<Identity>,
    interrupted: Arc<AtomicBool>,
}

impl Begun {
    /// Sends SIGINT; tells whether it could be sent.
    pub(crate) fn interrupt(&self) -> io::Result<bool> {
        let Some(identity) = self.identity.filter(|identity| identity.lives()) else {
            return Ok(false);
        };
        self.interrupted.store(true, Ordering::SeqCst);
        identity.signal(Signal::INT)?;
        Ok(true)
    }
}

/// Begins a command. The future waits for its end and records it; a command that is still running
/// after `limit` is killed, and so is one whose future is dropped.
pub(crate) fn begin(
    spawn: &Spawn<'_>,
    limit: Duration,
    recorder: &Recorder,
) -> io::Result<(Begun, impl Future<Output = Ended> + Send + use<>)> {
    let (begun, ending) = launch(spawn, &[], limit)?;
    let recorder = recorder.clone();
    let recorded = async move {
        let ended = ending.await;
        if let Ok(Ok(run) | Err((run, _))) = &ended {
            recorder.append(What::Command(run.clone()));
        }
        ended.map(|ended| ended.map_err(|(_, still_ran)| still_ran))
    };
    Ok((begun, recorded))
}

/// Runs a command to its end, which reads this, and records nothing of it.
pub(crate) async fn run_with_input(spawn: &Spawn<'_>, input: &[u8], limit: Duration) -> Ended {
    let ended = launch(spawn, input, limit)?.1.await;
    ended.map(|ended| ended.map_err(|(_, still_ran)| still_ran))
}

/// How a command ended; one that was killed at its limit has no exit code.
type Launched = io::Result<Result<CommandRun, (CommandRun, NotReached)>>;

fn launch(
    spawn: &Spawn<'_>,
    input: &[u8],
    limit: Duration,
) -> io::Result<(Begun, impl Future<Output = Launched> + Send + use<>)> {
    let mut process = command(spawn)?;
    process.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if !input.is_empty() {
        process.stdin(Stdio::piped());
    }
    let (began, input) = (Instant::now(), input.to_vec());
    #[expect(clippy::disallowed_methods, reason = "this is the owner of processes")]
    let mut child = process.spawn()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let begun =
        Begun { identity: child.id().and_then(Identity::of), interrupted: interrupted.clone() };
    let what = format!("`{} {}` to end", spawn.program.display(), spawn.arguments.join(" "));
    let arguments = spawn.arguments.clone();
    let ending = async move {
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read it to its end says itself why.
            let _ = stdin.write_all(&input).await;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the owner of processes")]
        let output = tokio::time::timeout(limit, child.wait_with_output()).await;
        let mut run = CommandRun {
            arguments,
            exit: Exit::TimedOut,
            stdout: String::new(),
            stderr: String::new(),
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            interrupted: interrupted.load(Ordering::SeqCst),
        };
        let Ok(output) = output else {
            run.stderr = "it was still running at its limit, and was killed".to_owned();
            let late = NotReached::new(what, began.elapsed(), "it still ran, and was killed");
            return Ok(Err((run, late)));
        };
        let output = output?;
        run.exit = exit_of(output.status);
        run.stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        run.stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Ok(run))
    };
    Ok((begun, ending))
}

/// Runs a command to its end, as [`begin`] does.
pub(crate) async fn run_to_end(spawn: &Spawn<'_>, limit: Duration, recorder: &Recorder) -> Ended {
    begin(spawn, limit, recorder)?.1.await
}

fn command(spawn: &Spawn<'_>) -> io::Result<Command> {
    let mut command = Command::new(&spawn.program);
    command
        .args(&spawn.arguments)
        .env_clear()
        .envs(spawn.environment.variables())
        .current_dir(spawn.environment.home())
        .stdin(Stdio::null())
        .process_group(0);
    Ok(command)
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), signal_of(status)) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown(status.to_string()),
    }
}
