//! Starts the processes of a world. Each leads a process group of its own, has exactly the
//! environment that its [`Spawn`] names, and the home directory as its current directory.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use racetrap_history::{CommandRun, Exit, What};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::environment::Environment;
use super::lifetime::Lifetime;
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, hang_up_is_ignored, signal_of};
use crate::wait::NotReached;

/// A process to start.
#[derive(Debug)]
pub(crate) struct Spawn<'a> {
    /// Its role in the world, such as `engine`.
    pub(crate) name: &'static str,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its whole environment.
    pub(crate) environment: &'a Environment,
    /// The file to which its output is appended; `None` discards the output.
    pub(crate) log: Option<PathBuf>,
}

/// A process whose end a task waits for and records.
#[derive(Debug)]
pub(crate) struct Child {
    identity: Identity,
    /// Records the start and the end of the process.
    lifetime: Lifetime,
    /// How the process ended, once it has.
    ended: watch::Receiver<Option<Exit>>,
}

impl Child {
    /// Starts a process. A task in `tasks` waits for its end and records it.
    ///
    /// # Errors
    /// If the program cannot be started, or its log cannot be opened.
    pub(crate) fn start(
        spawn: &Spawn<'_>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let mut process = command(spawn);
        let output = || match &spawn.log {
            Some(path) => Ok(File::options().create(true).append(true).open(path)?.into()),
            None => io::Result::Ok(Stdio::null()),
        };
        process.stdout(output()?).stderr(output()?);
        #[expect(clippy::disallowed_methods, reason = "this is the owner of processes")]
        let mut child = process.spawn()?;
        let pid = child.id().expect("a process that was not waited for has an ID");
        // The process may have ended already, and has no start time to read then. Its ID cannot
        // belong to another process before the task below has waited for it.
        let identity = Identity::from_pid(pid).unwrap_or(Identity { pid, started: 0 });
        let lifetime = Lifetime::begin(spawn.name, identity, recorder);
        let (end, ended) = watch::channel(None);
        let recorded = lifetime.clone();
        tasks.spawn(async move {
            let exit = child.wait().await;
            let exit = exit.map_or_else(|error| Exit::Unknown(error.to_string()), exit_of);
            // Recorded before anybody who waits for the end goes on, so that what they record comes
            // after.
            recorded.end(exit.clone());
            end.send_replace(Some(exit));
        });
        Ok(Self { identity, lifetime, ended })
    }

    /// The identity of the process.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Makes the end of the process an expected one, recorded as `Stopped`.
    pub(crate) fn expect_end(&self) {
        self.lifetime.expect_end();
    }

    /// The exit status in words, if the process has ended.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.borrow().as_ref().map(ToString::to_string)
    }

    /// Sends a signal that ends the process, and waits for its end.
    pub(crate) async fn end(&mut self, signal: Signal, limit: Duration) -> Result<(), EndError> {
        // Before the signal: the process may end before the next line runs.
        self.expect_end();
        self.identity.signal(signal)?;
        self.wait_for_end(limit).await
    }

    /// Waits for the process to end.
    pub(crate) async fn wait_for_end(&mut self, limit: Duration) -> Result<(), EndError> {
        let pid = self.identity.pid;
        match tokio::time::timeout(limit, self.ended.wait_for(Option::is_some)).await {
            Ok(Ok(_)) => Ok(()),
            // The sender is dropped without an end only if its task was aborted.
            Ok(Err(_)) | Err(_) => Err(EndError::StillRuns { pid, limit }),
        }
    }
}

/// A process did not end when it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    #[error("process {pid} still runs {limit:?} after it was told to end")]
    StillRuns { pid: u32, limit: Duration },
    #[error("it could not be signalled")]
    Signal(#[from] io::Error),
}

/// How a command ended: with its output, or killed at its limit. The outer error is that it could
/// not be started or waited for.
pub(crate) type CommandResult = io::Result<Result<CommandRun, NotReached>>;

/// A handle of a command that runs, to interrupt it.
#[derive(Clone, Debug)]
pub(crate) struct CommandHandle {
    identity: Option<Identity>,
    interrupted: Arc<AtomicBool>,
}

impl CommandHandle {
    /// Sends SIGINT. Returns `false` if the command has ended already.
    pub(crate) fn interrupt(&self) -> io::Result<bool> {
        let Some(identity) = self.identity.filter(|identity| identity.lives()) else {
            return Ok(false);
        };
        // Before the signal: the command may end before the next line runs.
        self.interrupted.store(true, Ordering::SeqCst);
        identity.signal(Signal::INT)?;
        Ok(true)
    }
}

/// Starts a command. The future waits for its end and records it. A command that still runs after
/// `limit` is killed, and so is a command whose future is dropped.
///
/// # Errors
/// If the program cannot be started.
pub(crate) fn start_command(
    spawn: &Spawn<'_>,
    limit: Duration,
    recorder: &Recorder,
) -> io::Result<(CommandHandle, impl Future<Output = CommandResult> + Send + use<>)> {
    let (handle, ending) = launch(spawn, &[], limit)?;
    let recorder = recorder.clone();
    let recorded = async move {
        let ended = ending.await;
        if let Ok(Ok(run) | Err((run, _))) = &ended {
            recorder.append(What::Command(run.clone()));
        }
        ended.map(|ended| ended.map_err(|(_, late)| late))
    };
    Ok((handle, recorded))
}

/// Runs a command to its end, as [`start_command`] does.
pub(crate) async fn run_to_end(
    spawn: &Spawn<'_>,
    limit: Duration,
    recorder: &Recorder,
) -> CommandResult {
    start_command(spawn, limit, recorder)?.1.await
}

/// Runs a command to its end with `input` on its standard input. Does not record the command in the
/// history: the input may hold a secret.
pub(crate) async fn run_with_input(
    spawn: &Spawn<'_>,
    input: &[u8],
    limit: Duration,
) -> CommandResult {
    let ended = launch(spawn, input, limit)?.1.await;
    ended.map(|ended| ended.map_err(|(_, late)| late))
}

/// As [`CommandResult`], but with the run of a command that was killed too.
type Launched = io::Result<Result<CommandRun, (CommandRun, NotReached)>>;

fn launch(
    spawn: &Spawn<'_>,
    input: &[u8],
    limit: Duration,
) -> io::Result<(CommandHandle, impl Future<Output = Launched> + Send + use<>)> {
    let mut process = command(spawn);
    process.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Without input, standard input stays `/dev/null`: no command waits for a terminal.
    if !input.is_empty() {
        process.stdin(Stdio::piped());
    }
    let (began, input) = (Instant::now(), input.to_vec());
    #[expect(clippy::disallowed_methods, reason = "this is the owner of processes")]
    let mut child = process.spawn()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let identity = child.id().and_then(Identity::from_pid);
    let handle = CommandHandle { identity, interrupted: interrupted.clone() };
    let what = format!("`{} {}` to end", spawn.program.display(), spawn.arguments.join(" "));
    let arguments = spawn.arguments.clone();
    let ending = async move {
        if let Some(mut stdin) = child.stdin.take() {
            // A command that ends before it has read all of its input says why in its own output.
            let _ = stdin.write_all(&input).await;
        }
        // At the limit, the future that owns the child is dropped, which kills the command.
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
            let late = NotReached::new(what, began.elapsed(), "it still ran, and was killed");
            return Ok(Err((run, late)));
        };
        let output = output?;
        run.exit = exit_of(output.status);
        run.stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        run.stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Ok(run))
    };
    Ok((handle, ending))
}

fn command(spawn: &Spawn<'_>) -> Command {
    // Before the first program is started, which would ignore SIGHUP as well.
    hang_up_is_ignored();
    let mut command = Command::new(&spawn.program);
    command
        .args(&spawn.arguments)
        // The harness runs in the user's environment, of which only PATH may reach the process.
        .env_clear()
        .envs(spawn.environment.variables())
        .current_dir(spawn.environment.home())
        .stdin(Stdio::null())
        // Ctrl-C at the terminal must end only the harness, which then closes its worlds in order.
        .process_group(0);
    command
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), signal_of(status)) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown(status.to_string()),
    }
}
