//! The daemon's life: created, started, asked, stopped, by its own command line.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use racetrap_history::{CommandRun, ProcessState, VmMode, VmOp, What};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::api::{Api, ApiError, Resource};
use super::controllers::{Controllers, Place};
use super::log::LogReader;
use super::{lima, observe};
use crate::chain::chain;
use crate::process::{
    CommandHandle, CommandResult, Environment, Spawn, Tasks, find_program, log_tail, run_to_end,
    start_command,
};
use crate::recorder::Recorder;
use crate::sys::{Identity, Signal, wait_for_end, with_own_run};
use crate::wait::{NotReached, polled};

/// How long `svc start` may take: its own limit is 90 s (contract 1.3), and ours lies above it.
const START_LIMIT: Duration = Duration::from_secs(100);

/// How long a command may take that only asks.
const ASK_LIMIT: Duration = Duration::from_secs(15);

/// How long a command may go on beyond the time-out that it was given.
const SET_GRACE: Duration = Duration::from_secs(15);

/// How long `svc stop` may take before what it leaves is ended by force.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// How long a definition may take to be established; a real API server waits 5 s (contract 3.4).
const DEFINE_LIMIT: Duration = Duration::from_secs(30);

/// The daemon could not be driven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// There is no such program.
    #[error("there is no daemon program at {0}")]
    Missing(PathBuf),
    /// Its program could not be run.
    #[error("{program} could not be run")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// One of its commands failed where it must not.
    #[error("the daemon's command `{command}` exited with {exit}; it said:\n{said}")]
    Command {
        /// The arguments.
        command: String,
        /// Exit code, or how else it ended.
        exit: String,
        /// Its standard error, and the end of the daemon's own log where it has one.
        said: String,
    },
    /// It did not get somewhere in time.
    #[error("the daemon did not get ready")]
    NotReached(#[from] NotReached),
    /// Its API failed.
    #[error("the daemon's API could not be used")]
    Api(#[from] ApiError),
    /// Its pid file names no process of its world.
    #[error("the daemon's pid file names no process of its world")]
    NoProcess,
    /// Its controllers are not the ones that the VM mode needs.
    #[error("VM mode {mode} is not to be had: {why}")]
    VmMode {
        /// The mode.
        mode: VmMode,
        /// What the daemon's discovery says.
        why: String,
    },
    /// The program of its controllers is not there.
    #[error("there is no program of the daemon's controllers at {0}, and the scenario needs it")]
    NoControllers(PathBuf),
    /// It would live outside its world, in what may be the user's.
    #[error("the daemon's `svc paths` names {path} as its {key}, which is outside its world")]
    Outside {
        /// The name of the path.
        key: String,
        /// The path.
        path: PathBuf,
    },
    /// It lacks what the contract says it has.
    #[error("the daemon's `svc paths` does not name its {0}")]
    Path(&'static str),
}

/// A started daemon.
pub(crate) struct Daemon {
    program: PathBuf,
    environment: Environment,
    recorder: Recorder,
    paths: BTreeMap<String, PathBuf>,
    knows_wait: bool,
    process: Option<Identity>,
    stopping: Arc<AtomicBool>,
    log: Option<LogReader>,
    /// It is asked for its stacks, which ends it.
    tells_stacks: bool,
    /// Controllers of containers run in a program of their own.
    standalone: bool,
    controllers: Option<Controllers>,
    /// What lies at `/run` for it, where that is not the machine's.
    own_run: Option<PathBuf>,
    vm: watch::Sender<VmOp>,
}

impl Daemon {
    /// Looks at a daemon's program, and at where its instance in this world will be.
    pub(crate) async fn meet(
        program: &Path,
        environment: Environment,
        recorder: &Recorder,
    ) -> Result<Self, DaemonError> {
        if !program.is_file() {
            return Err(DaemonError::Missing(program.to_owned()));
        }
        let mut daemon = Self {
            program: program.to_owned(),
            environment,
            recorder: recorder.clone(),
            paths: BTreeMap::new(),
            knows_wait: false,
            process: None,
            stopping: Arc::default(),
            log: None,
            tells_stacks: false,
            standalone: false,
            controllers: None,
            own_run: None,
            vm: watch::Sender::new(VmOp::Go),
        };
        let listed = daemon.must(&["svc", "paths"], ASK_LIMIT).await?;
        daemon.paths = listed
            .stdout
            .lines()
            .filter_map(|line| line.split_once(char::is_whitespace))
            .map(|(key, path)| (key.to_owned(), PathBuf::from(path.trim())))
            .collect();
        for (key, path) in &daemon.paths {
            if !daemon.environment.is_inside(path) {
                let (key, path) = (key.clone(), path.clone());
                return Err(DaemonError::Outside { key, path });
            }
        }
        let log = daemon.paths.get("log_dir").map(|directory| directory.join("rdd.stderr.log"));
        daemon.log = log.map(LogReader::new);
        Ok(daemon)
    }

    /// From here on it is started with that directory in the place of `/run`.
    pub(crate) fn has_own_run(&mut self, run: &Path) {
        self.own_run = Some(run.to_owned());
    }

    /// What the daemon says of its version.
    pub(crate) async fn version(&self) -> Result<String, DaemonError> {
        Ok(self.must(&["version"], ASK_LIMIT).await?.stdout.trim().to_owned())
    }

    /// Where the daemon looks for its engine (contract 2.2). Revisions that do not say it use
    /// instance 2's place, whatever their own instance is (contract 9, R0); where that is a
    /// neighbour's, the place that is promised.
    pub(crate) fn docker_socket(&self, has_neighbour: bool) -> PathBuf {
        if let Some(said) = self.paths.get("docker_socket") {
            return said.clone();
        }
        let instance = self.environment.variables().get("RDD_INSTANCE");
        let instance = instance.filter(|_| has_neighbour).map_or("2", String::as_str);
        self.environment.home().join(format!(".rd{instance}/docker.sock"))
    }

    /// Where clients learn how to reach its API (contract 2.3).
    pub(crate) fn kubeconfig(&self) -> Result<&Path, DaemonError> {
        self.paths.get("config").map(PathBuf::as_path).ok_or(DaemonError::Path("config"))
    }

    /// Creates and starts it, follows its API, and runs its VM in the given mode; its controllers of
    /// containers in a program of their own, where `standalone` says so.
    pub(crate) async fn start(
        &mut self,
        vm: VmMode,
        standalone: bool,
        tasks: &mut Tasks,
    ) -> Result<Api, DaemonError> {
        self.standalone = standalone;
        if standalone {
            // Told before anything is made.
            Controllers::program(&self.program)?;
        }
        let mut controllers = "--controllers=*".to_owned();
        match vm {
            VmMode::Api => controllers.push_str(",-lima"),
            VmMode::Program => self.prepare_lima()?,
        }
        if standalone {
            controllers.push_str(",-containers");
        }
        self.must(&["svc", "create", &controllers], START_LIMIT).await?;
        let mut api = self.start_service().await?;
        // Not earlier: a daemon that lists its properties there starts itself for that.
        let help = self.must(&["set", "--help"], START_LIMIT).await?;
        self.knows_wait = help.stdout.contains("--wait") || help.stderr.contains("--wait");
        if !api.serves(Resource::LimaVms).await? {
            self.define_lima_vms(&api).await?;
            self.must(&["svc", "stop"], STOP_LIMIT).await?;
            api = self.start_service().await?;
        }
        self.look_after(&mut tasks.keepers)?;
        self.check_controllers(&api, vm).await?;
        self.start_controllers(&api, tasks).await?;
        self.observe(&api, vm, tasks).await?;
        Ok(api)
    }

    /// Starts the program of its controllers, where they have one; an older one ends before.
    async fn start_controllers(&mut self, api: &Api, tasks: &mut Tasks) -> Result<(), DaemonError> {
        if let Some(older) = self.controllers.take() {
            older.end(&self.recorder).await;
        }
        if self.standalone {
            let log_dir = self.paths.get("log_dir").ok_or(DaemonError::Path("log_dir"))?;
            let place = Place { daemon: &self.program, environment: &self.environment, log_dir };
            let started = Controllers::start(place, api, &mut tasks.keepers, &self.recorder);
            self.controllers = Some(started.await?);
        }
        Ok(())
    }

    /// Follows its API, and plays its VM where that is the harness's part.
    async fn observe(&self, api: &Api, vm: VmMode, tasks: &mut Tasks) -> Result<(), DaemonError> {
        observe::follow_all(api, &mut tasks.clients, &self.recorder).await?;
        if vm == VmMode::Api {
            let (api, recorder) = (api.clone(), self.recorder.clone());
            tasks.clients.spawn(lima::play(api, self.vm.subscribe(), recorder));
        }
        Ok(())
    }

    /// Lets the VM wait with what it is told, or go on.
    pub(crate) fn vm(&self, op: VmOp) -> Result<(), DaemonError> {
        // Whoever plays the VM listens; a real one cannot be told.
        if self.vm.send(op).is_ok() {
            return Ok(());
        }
        let why = "a VM that the harness does not play cannot be told to wait".to_owned();
        Err(DaemonError::VmMode { mode: VmMode::Api, why })
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), with all that it kept.
    pub(crate) async fn start_again(
        &mut self,
        vm: VmMode,
        tasks: &mut Tasks,
    ) -> Result<Api, DaemonError> {
        let api = self.start_service().await?;
        self.look_after(&mut tasks.keepers)?;
        self.start_controllers(&api, tasks).await?;
        self.observe(&api, vm, tasks).await?;
        Ok(api)
    }

    /// Ends its process by SIGKILL, and waits for that.
    pub(crate) async fn kill(&mut self) -> Result<(), DaemonError> {
        let process = self.process.take().ok_or(DaemonError::NoProcess)?;
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(controllers) = &self.controllers {
            controllers.expect_end();
        }
        let ended = async {
            process.signal(Signal::KILL)?;
            wait_for_end(process, KILL_LIMIT).await
        };
        match ended.await {
            Ok(true) => Ok(reaped(process).await?),
            Ok(false) => Err(NotReached::new("the daemon's end", KILL_LIMIT, "it runs on").into()),
            Err(source) => Err(DaemonError::Program { program: self.program.clone(), source }),
        }
    }

    /// It is going to be asked for its stacks, which ends it: from here on its end is no surprise, what it
    /// says is not its own word, and what it leaves is not its own doing.
    pub(crate) fn expect_stacks(&mut self) {
        self.read_log();
        self.tells_stacks = true;
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(controllers) = &self.controllers {
            controllers.expect_end();
        }
    }

    /// Whether it was asked for its stacks.
    pub(crate) fn was_asked_for_stacks(&self) -> bool {
        self.tells_stacks
    }

    /// What ends its process by SIGKILL when it is called, as [`kill`](Self::kill) does.
    pub(crate) fn killer(
        &self,
    ) -> Result<impl FnOnce() -> io::Result<()> + Send + use<>, DaemonError> {
        let process = self.process.ok_or(DaemonError::NoProcess)?;
        let stopping = self.stopping.clone();
        Ok(move || {
            stopping.store(true, Ordering::SeqCst);
            process.signal(Signal::KILL)
        })
    }

    /// Its processes, while they run: its service's, and its controllers' where they have one.
    pub(crate) fn processes(&self) -> impl Iterator<Item = Identity> {
        let controllers = self.controllers.as_ref().map(Controllers::process);
        self.process.into_iter().chain(controllers)
    }

    /// The process of its service, while it runs.
    pub(crate) fn process(&self) -> Option<Identity> {
        self.process
    }

    /// Sends a signal that does not end it.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), DaemonError> {
        let process = self.process.ok_or(DaemonError::NoProcess)?;
        let failed = |source| DaemonError::Program { program: self.program.clone(), source };
        process.signal(signal).map_err(failed)
    }

    /// Records the lines of its log that are new.
    pub(crate) fn read_log(&mut self) {
        if self.tells_stacks {
            return;
        }
        if let Some(log) = &mut self.log {
            log.drain(&self.recorder);
        }
        if let Some(controllers) = &mut self.controllers {
            controllers.read_log(&self.recorder);
        }
    }

    /// VM mode `program`: a disk that is never read, and Lima's own configuration for it
    /// (contract 7.6 A). Lima calls these programs whatever the VM is.
    fn prepare_lima(&self) -> Result<(), DaemonError> {
        let refused = |why: String| DaemonError::VmMode { mode: VmMode::Program, why };
        for (program, package) in [("qemu-img", "qemu-utils"), ("ssh-keygen", "openssh-client")] {
            if find_program(program).is_none() {
                return Err(refused(format!("there is no {program} on PATH (package {package})")));
            }
        }
        let home = self.paths.get("lima_home").ok_or(DaemonError::Path("lima_home"))?;
        let image = self.environment.home().join("boot.img");
        let write = || -> io::Result<()> {
            racetrap_vm::boot_image(&image)?;
            std::fs::create_dir_all(home.join("_config"))?;
            std::fs::write(home.join("_config/override.yaml"), racetrap_vm::lima_override(&image))
        };
        write().map_err(|error| refused(error.to_string()))
    }

    async fn start_service(&self) -> Result<Api, DaemonError> {
        let arguments = ["svc", "start"].map(str::to_owned).to_vec();
        let mut spawn = self.spawn(arguments);
        if let Some(run) = &self.own_run {
            let (program, arguments) = with_own_run(run, &spawn.program, &spawn.arguments);
            (spawn.program, spawn.arguments) = (program.into(), arguments);
        }
        self.succeeded("svc start", self.run(&spawn, START_LIMIT).await?)?;
        Ok(Api::connect(self.kubeconfig()?).await?)
    }

    /// The mode is probed: what the daemon's discovery says it runs decides (contract 3.2, 3.3). Older
    /// revisions announce that only after `svc start` has returned.
    async fn check_controllers(&self, api: &Api, mode: VmMode) -> Result<(), DaemonError> {
        let announced = polled("the controllers to be announced", DEFINE_LIMIT, async || match api
            .enabled_controllers()
            .await
        {
            Ok(enabled) if enabled.is_empty() => ControlFlow::Continue("none is".to_owned()),
            Ok(enabled) => ControlFlow::Break(enabled),
            Err(error) => ControlFlow::Continue(chain(&error)),
        });
        let enabled = announced.await?;
        let lima = enabled.iter().any(|name| name == "limavm");
        if lima == (mode == VmMode::Program) {
            return Ok(());
        }
        let why = format!("the daemon runs the controllers {}", enabled.join(", "));
        Err(DaemonError::VmMode { mode, why })
    }

    async fn define_lima_vms(&self, api: &Api) -> Result<(), DaemonError> {
        let definition = lima::definition();
        let established = polled("the LimaVM kind to be established", DEFINE_LIMIT, async || {
            match api.define(&definition).await {
                Ok(true) => ControlFlow::Break(()),
                Ok(false) => ControlFlow::Continue("not established yet".to_owned()),
                Err(error) => ControlFlow::Continue(chain(&error)),
            }
        });
        Ok(established.await?)
    }

    /// Records the daemon's process and, in a task, an end that nobody asked for.
    fn look_after(&mut self, tasks: &mut JoinSet<()>) -> Result<(), DaemonError> {
        let process = self.find_process().ok_or(DaemonError::NoProcess)?;
        self.process = Some(process);
        // Its own, so that the end of an earlier process stays one that was asked for.
        self.stopping = Arc::default();
        let record = move |recorder: &Recorder, state| {
            let Identity { pid, started } = process;
            recorder.append(What::Process { name: "daemon".to_owned(), pid, started, state });
        };
        record(&self.recorder, ProcessState::Started);
        let (recorder, stopping) = (self.recorder.clone(), self.stopping.clone());
        tasks.spawn(async move {
            let ended = wait_for_end(process, Duration::MAX).await;
            let state = if stopping.load(Ordering::SeqCst) {
                ProcessState::Stopped
            } else {
                let how = match ended {
                    Ok(_) => "how is not known, for it is no child of the harness".to_owned(),
                    Err(error) => error.to_string(),
                };
                ProcessState::Died { how }
            };
            record(&recorder, state);
        });
        Ok(())
    }

    /// The daemon's process: the one that its pid file names, if it is of this world at all.
    fn find_process(&self) -> Option<Identity> {
        let text = std::fs::read_to_string(self.paths.get("pid_file")?).ok()?;
        let process = Identity::from_pid(text.trim().parse().ok()?)?;
        self.environment.is_of(process).then_some(process)
    }

    /// Stops it; gives a line for what would not go by itself.
    pub(crate) async fn stop(&mut self) -> Option<String> {
        if self.tells_stacks {
            return self.end_after_stacks().await;
        }
        // First, for without its service it would end by itself.
        let controllers = match self.controllers.take() {
            Some(controllers) => controllers.end(&self.recorder).await,
            None => None,
        };
        self.stopping.store(true, Ordering::SeqCst);
        let stopped = self.must(&["svc", "stop"], STOP_LIMIT).await;
        self.read_log();
        let leak = controllers.or(stopped.err().map(|error| chain(&error)));
        if let Some(process) = self.process.take().filter(|process| process.lives()) {
            let _ = process.signal(Signal::KILL);
            let text = format!("the daemon's process {} ran on after `svc stop`", process.pid);
            return Some(leak.unwrap_or(text));
        }
        leak
    }

    /// Ends what did not end by telling its stacks; that is nobody's fault.
    async fn end_after_stacks(&mut self) -> Option<String> {
        if let Some(controllers) = self.controllers.take() {
            controllers.kill().await;
        }
        let process = self.process.take()?;
        let failed = |error: io::Error| format!("the daemon's process {}: {error}", process.pid);
        match process.signal(Signal::KILL) {
            Ok(()) => wait_for_end(process, KILL_LIMIT).await.err().map(failed),
            Err(error) => Some(failed(error)),
        }
    }

    /// What its `svc paths` has said, by name.
    pub(crate) fn paths(&self) -> &BTreeMap<String, PathBuf> {
        &self.paths
    }

    /// Begins to set properties of the App; the command waits until it has settled, where a limit
    /// is given. Older revisions know no `--wait`, and take a time-out of 0 for it (contract 9, R0).
    pub(crate) fn begin_set(
        &self,
        properties: &[String],
        wait: Option<Duration>,
    ) -> Result<(CommandHandle, impl Future<Output = CommandResult> + Send + use<>), DaemonError>
    {
        let (arguments, limit) = self.set_arguments(properties, wait);
        let spawn = self.spawn(arguments);
        let begun = start_command(&spawn, limit, &self.recorder);
        begun.map_err(|source| DaemonError::Program { program: self.program.clone(), source })
    }

    fn set_arguments(
        &self,
        properties: &[String],
        wait: Option<Duration>,
    ) -> (Vec<String>, Duration) {
        let how = match wait {
            Some(limit) => format!("--timeout={}s", limit.as_secs()),
            None if self.knows_wait => "--wait=false".to_owned(),
            None => "--timeout=0".to_owned(),
        };
        let arguments = ["set".to_owned(), how].into_iter().chain(properties.iter().cloned());
        (arguments.collect(), wait.unwrap_or_default() + SET_GRACE)
    }

    fn spawn(&self, arguments: Vec<String>) -> Spawn<'_> {
        Spawn {
            name: "command",
            program: self.program.clone(),
            arguments,
            environment: &self.environment,
            log: None,
        }
    }

    /// Runs one of the daemon's commands to its end, whatever it exits with.
    pub(crate) async fn command(
        &self,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<CommandRun, DaemonError> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.run(&self.spawn(arguments), limit).await
    }

    async fn run(&self, spawn: &Spawn<'_>, limit: Duration) -> Result<CommandRun, DaemonError> {
        let run = run_to_end(spawn, limit, &self.recorder).await;
        let program = self.program.clone();
        Ok(run.map_err(|source| DaemonError::Program { program, source })??)
    }

    /// Runs a command that must exit with 0.
    async fn must(&self, arguments: &[&str], limit: Duration) -> Result<CommandRun, DaemonError> {
        self.succeeded(&arguments.join(" "), self.command(arguments, limit).await?)
    }

    fn succeeded(&self, command: &str, run: CommandRun) -> Result<CommandRun, DaemonError> {
        if run.exit == Some(0) {
            return Ok(run);
        }
        let exit = run.exit.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
        let said = format!("{}{}", run.stderr.trim_end(), self.end_of_log());
        Err(DaemonError::Command { command: command.to_owned(), exit, said })
    }

    fn end_of_log(&self) -> String {
        let log = self.paths.get("log_dir").map(|directory| directory.join("rdd.stderr.log"));
        match log.map(|log| log_tail(&log)).filter(|text| !text.is_empty()) {
            Some(text) => format!("\nthe end of its log:\n{text}"),
            None => String::new(),
        }
    }
}

/// Waits until nothing is left of an ended daemon: one whose parent has not asked for its end counts as
/// running (contract 1.3).
async fn reaped(process: Identity) -> Result<(), NotReached> {
    polled("the daemon's parent to see to its end", KILL_LIMIT, async || {
        if process.is_gone() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue("it is a zombie".to_owned())
    })
    .await
}
