//! Start and close of a world, each in one fixed order.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use racetrap_history::{Needs, Owner, Protocol, VmMode, What};
use racetrap_wire::{Dialect, Listen, Upstream, Wire, WireConfig, WireError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::aftermath::aftermath;
use super::client_wire::{ClientWireError, stand_before};
use super::ground::{Ground, GroundError};
use super::layout::lay_out;
use super::reset::Usage;
use super::{logs, sweep};
use crate::bundle::{Cause, Patient, Trigger, capture, past_wire};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::{Admission, AdmissionError, Api, ApiError, Daemon, DaemonError, Resource};
use crate::docker::{DockerError, Place, User};
use crate::engine::{Engine, EngineChoice, EngineError, Site, Truth, TruthError, Workload};
use crate::intent::{self, Intent};
use crate::process::{Child, Environment, MARKER, NotBuilt, Spawn, Tasks, companion};
use crate::recorder::{Recorder, Whole};
use crate::sys::{Identity, Signal, cgroups_of, marked, mounts_below};
use crate::wait::polled;
use crate::wire_record::wire_message;

/// How long processes of a closed world may take to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// A world could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// No place for it.
    #[error("there is no place for a world")]
    Ground(#[from] GroundError),
    /// No engine.
    #[error("there is no engine")]
    Engine(#[from] EngineError),
    /// The engine's own socket does not answer.
    #[error("the engine cannot be observed")]
    Truth(#[from] TruthError),
    /// No wire.
    #[error("there is no wire between daemon and engine")]
    Wire(#[from] WireError),
    /// No daemon.
    #[error("there is no daemon")]
    Daemon(#[from] DaemonError),
    /// The daemon and the scenario have no VM mode in common.
    #[error("there is no VM mode that scenario and daemon both support")]
    NoVmMode,
    /// The daemon takes wishes for a container's state in another way than the scenario needs.
    #[error("the scenario needs the protocol `{needed}`, and this daemon has `{had}`")]
    Protocol {
        /// What the scenario needs.
        needed: Protocol,
        /// What the daemon's kinds have.
        had: Protocol,
    },
    /// No user of the docker command.
    #[error("there is no user of the docker command")]
    Docker(#[from] DockerError),
    /// The watcher or the stand-in for QEMU is not built.
    #[error("a program of a world is missing")]
    Companion(#[from] NotBuilt),
    /// The file system refused.
    #[error("{what} could not be made")]
    Io {
        /// What.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl WorldError {
    /// Whether something went wrong, and not only was asked for what this daemon does not have.
    fn tells_of_a_fault(&self) -> bool {
        !matches!(
            self,
            Self::Daemon(DaemonError::VmMode { .. }) | Self::NoVmMode | Self::Protocol { .. }
        )
    }
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct WorldOptions {
    /// The daemon's program.
    pub(crate) daemon: PathBuf,
    /// Defects to switch on in it.
    pub(crate) defects: Vec<String>,
    /// How its VM is run.
    pub(crate) vm: VmMode,
    /// Which engine it mirrors.
    pub(crate) engine: EngineChoice,
    /// Where evidence goes; made where it is not there.
    pub(crate) evidence: PathBuf,
    /// What its scenario needs beyond that.
    pub(crate) needs: Needs,
    /// The home of another world: this one is its neighbour, and lives there too.
    pub(crate) home: Option<PathBuf>,
}

/// One isolated daemon, its engine, and the wire between them.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) api: Api,
    pub(crate) engine: Engine,
    pub(crate) truth: Truth,
    pub(crate) workload: Workload,
    pub(crate) user: User,
    pub(crate) wire: Wire,
    client_wire: Option<Wire>,
    pub(crate) tasks: Tasks,
    pub(crate) vm: VmMode,
    pub(super) usage: Usage,
    admission: Option<Admission>,
    facts: What,
    foundation: Foundation,
}

/// What a world stands on, from its first file to its last.
struct Foundation {
    ground: Ground,
    environment: Environment,
    watcher: Child,
    recorder: Recorder,
}

impl World {
    /// Makes a world. What was begun and then failed is swept before the error is returned.
    pub(crate) async fn start(
        options: &WorldOptions,
        recorder: &Recorder,
    ) -> Result<Self, WorldError> {
        let began = Instant::now();
        let mut tasks = Tasks::default();
        let foundation = Foundation::lay(options, &mut tasks, recorder).await?;
        let mut met = None;
        match Parts::make(options, &foundation, &mut tasks, &mut met).await {
            Ok(Parts { api, engine, truth, user, wire, facts }) => {
                let daemon = met.expect("a world that is made has met its daemon");
                recorder.append(facts.clone());
                user.begin();
                let workload = Workload::new(truth.docker().clone());
                let processes = marked(MARKER, foundation.ground.marker());
                let usage = Usage::new(began.elapsed(), processes.into_iter());
                let (vm, admission) = (options.vm, None);
                let world = Self {
                    daemon,
                    api,
                    engine,
                    truth,
                    workload,
                    user,
                    wire,
                    client_wire: None,
                    tasks,
                    vm,
                    usage,
                    admission,
                    facts,
                    foundation,
                };
                Ok(world)
            }
            Err(error) => {
                if error.tells_of_a_fault() {
                    let cause = Cause::new(Trigger::Unmade, chain(&error));
                    foundation
                        .capture(cause, || met.iter_mut().for_each(Daemon::expect_stacks))
                        .await;
                }
                tasks.observers.abort_all();
                tasks.clients.abort_all();
                foundation.raze(Vec::new(), tasks).await;
                Err(error)
            }
        }
    }

    /// A run begins: its history is what is appended from here on, with `head` first.
    pub(crate) fn enter(&mut self, journal: File, clock: Clock, head: What) {
        self.daemon.read_log();
        self.recorder().begin(journal, clock, head);
    }

    /// Records what is there at the beginning of a run, as it is recorded when a world is made.
    ///
    /// # Errors
    /// Where something of the world does not answer any more.
    pub(crate) async fn begin(&mut self, evidence: &Path) -> Result<(), WorldError> {
        let directory = self.foundation.ground.directory();
        self.usage.logs = logs::lengths(directory).map_err(failed("a list of logs"))?;
        let run = Intent::Run { evidence: evidence.to_owned(), logs: self.usage.logs.clone() };
        intent::declare(directory, &run).map_err(failed("the list of intents"))?;
        self.recorder().append(self.facts.clone());
        self.user.begin();
        self.list_all().await.map_err(DaemonError::from)?;
        Ok(self.truth.refresh().await?)
    }

    /// Records every object of the daemon's API.
    pub(super) async fn list_all(&self) -> Result<(), ApiError> {
        for resource in Resource::ALL {
            self.api.list(resource, self.recorder()).await?;
        }
        Ok(())
    }

    /// A run is over: gives its history, and appends to one of the world's own from here on.
    pub(crate) fn rest(&self, clock: Clock) -> io::Result<Whole> {
        let journal = File::create(self.directory().join("idle.jsonl"))?;
        let text = "no run goes on in this world".to_owned();
        Ok(self.recorder().begin(journal, clock, What::Note { text }))
    }

    /// Copies the logs of the run that is over to its evidence.
    pub(crate) fn keep_logs(&self, evidence: &Path) -> io::Result<()> {
        logs::keep(self.directory(), evidence, &self.usage.logs)
    }

    /// Says that no run goes on, so that nobody looks for its evidence.
    pub(crate) fn declare_idle(&self) -> io::Result<()> {
        intent::declare(self.directory(), &Intent::Idle)
    }

    /// Where the history goes.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.foundation.recorder
    }

    /// The directory of the world.
    fn directory(&self) -> &Path {
        self.foundation.ground.directory()
    }

    /// Every process of the world, and its command.
    pub(super) fn processes(&self) -> Vec<(Identity, String)> {
        marked(MARKER, self.foundation.ground.marker())
    }

    /// The wires of the world.
    pub(super) fn wires(&self) -> impl Iterator<Item = &Wire> {
        std::iter::once(&self.wire).chain(&self.client_wire)
    }

    /// The harness's own admission, installed in the daemon's API when it is first asked for.
    pub(crate) async fn admission(&mut self) -> Result<&Admission, AdmissionError> {
        if self.admission.is_none() {
            let recorder = &self.foundation.recorder;
            let admission = Admission::start(&mut self.tasks.observers, recorder)?;
            admission.install(&self.api).await?;
            self.admission = Some(admission);
        }
        Ok(self.admission.as_ref().expect("it was just made"))
    }

    /// The wire between clients and the daemon's API, put there when it is first asked for.
    pub(crate) async fn client_wire(&mut self) -> Result<&Wire, ClientWireError> {
        if self.client_wire.is_none() {
            let kubeconfig = self.daemon.kubeconfig()?;
            let past_wire = past_wire(self.directory());
            let wire = stand_before(kubeconfig, &past_wire, &self.foundation.recorder).await?;
            self.client_wire = Some(wire);
        }
        Ok(self.client_wire.as_ref().expect("it was just made"))
    }

    /// The home of its daemon.
    pub(crate) fn home(&self) -> &Path {
        self.foundation.environment.home()
    }

    /// The clients of the daemon's present run end with it.
    pub(crate) fn forget_clients(&mut self) {
        self.tasks.clients.abort_all();
        self.client_wire = None;
        // It is not there where no wire stood before the API.
        let _ = std::fs::remove_file(past_wire(self.directory()));
        self.wire.reset_phase();
    }

    /// Starts the daemon again, and observes it anew.
    pub(crate) async fn start_daemon_again(&mut self) -> Result<(), DaemonError> {
        self.api = self.daemon.start_again(self.vm, &mut self.tasks).await?;
        Ok(())
    }

    /// Captures the world for the bundle of the run that goes on in it, last of all its daemon's stacks:
    /// the daemon has ended then, and the world can only be closed.
    pub(crate) async fn capture(&mut self, cause: Cause) {
        let daemon = &mut self.daemon;
        self.foundation.capture(cause, || daemon.expect_stacks()).await;
    }

    /// Ends all that the world made, the youngest first, and records what would not go.
    ///
    /// # Panics
    /// With the panic of any task of the world.
    pub(crate) async fn close(mut self) {
        let mut leaks = Vec::new();
        let left = self.daemon.stop().await;
        leaks.extend(left.map(|text| (Owner::Daemon, text)));
        // What a daemon that has ended has left is the last that is told of it.
        self.user.look();
        self.tasks.clients.abort_all();
        self.tasks.observers.abort_all();
        if let Some(wire) = self.client_wire
            && let Err(error) = wire.close().await
        {
            leaks.push((Owner::World, format!("wire before the API: {}", chain(&error))));
        }
        leaks.extend(self.user.close().await.into_iter().map(|text| (Owner::World, text)));
        if let Err(error) = self.wire.close().await {
            leaks.push((Owner::World, format!("wire: {}", chain(&error))));
        }
        if let Err(error) = self.engine.close().await {
            leaks.push((Owner::World, format!("engine: {}", chain(&error))));
        }
        // What a daemon leaves that ended by telling its stacks, is swept like all else.
        if !self.daemon.was_asked_for_stacks() {
            let left = self.foundation.leftovers().await;
            leaks.extend(left.into_iter().map(|text| (Owner::World, text)));
        }
        if !leaks.is_empty() {
            let texts: Vec<_> = leaks.iter().map(|(_, text)| text.as_str()).collect();
            self.foundation.capture(Cause::new(Trigger::Leak, texts.join("; ")), || {}).await;
        }
        self.foundation.raze(leaks, self.tasks).await;
    }
}

/// What stands on the foundation, beside the daemon.
struct Parts {
    api: Api,
    engine: Engine,
    truth: Truth,
    user: User,
    wire: Wire,
    facts: What,
}

impl Parts {
    async fn make(
        options: &WorldOptions,
        foundation: &Foundation,
        tasks: &mut Tasks,
        met: &mut Option<Daemon>,
    ) -> Result<Self, WorldError> {
        let Foundation { ground, environment, recorder, .. } = foundation;
        let daemon = Daemon::meet(&options.daemon, environment.clone(), recorder).await?;
        let daemon = met.insert(daemon);
        let declare = |intent: Intent| intent::declare(ground.directory(), &intent);
        let (home, paths) = (environment.home().to_owned(), daemon.paths().clone());
        declare(Intent::Daemon { home, paths }).map_err(failed("the list of intents"))?;
        let site = Site {
            choice: options.engine,
            directory: ground.directory().join("e"),
            log: logs::engine_log(ground.directory()),
            environment: environment.clone(),
            control_group: control_group(ground.marker()),
            live_restore: options.needs.live_restore,
        };
        let socket = site.socket();
        declare(Intent::Engine { socket }).map_err(failed("the list of intents"))?;
        let engine = Engine::start(site, declare, &mut tasks.keepers, recorder).await?;
        let truth = Truth::observe(engine.socket(), &mut tasks.observers, recorder).await?;
        let wire = start_wire(options, daemon, &engine, recorder).await?;
        let needs = options.needs.docker.as_ref();
        let place = Place::of(ground.directory(), environment, needs);
        let user = User::start(place, needs, environment, &mut tasks.observers, recorder).await?;
        if needs.is_some() {
            daemon.has_own_run(user.run_directory());
        }
        declare(Intent::Process("daemon".to_owned())).map_err(failed("the list of intents"))?;
        let api = daemon.start(options.vm, options.needs.standalone, tasks).await?;
        if let Some(needed) = options.needs.protocol {
            let had = api.protocol().await.map_err(DaemonError::from)?;
            if had != needed {
                return Err(WorldError::Protocol { needed, had });
            }
        }
        let (daemon_version, engine_version) = (daemon.version().await?, truth.version().await?);
        let controllers = api.enabled_controllers().await.map_err(DaemonError::from)?;
        let facts = What::Facts { daemon_version, engine: engine_version, controllers };
        Ok(Self { api, engine, truth, user, wire, facts })
    }
}

impl Foundation {
    /// Claims a place, says what will be there, and starts the watcher before anything else.
    async fn lay(
        options: &WorldOptions,
        tasks: &mut Tasks,
        recorder: &Recorder,
    ) -> Result<Self, WorldError> {
        let ground = Ground::claim(&std::env::temp_dir())?;
        sweep_stale(&ground, recorder).await?;
        let environment = lay_out(&ground, options)?;
        let watcher = start_watcher(&ground, &environment, &mut tasks.keepers, recorder)?;
        Ok(Self { ground, environment, watcher, recorder: recorder.clone() })
    }

    /// Captures what is there, unless that was done before; a bundle that cannot be written is told.
    async fn capture(&self, cause: Cause, before_end: impl FnOnce()) {
        let captured = match Patient::of(self.ground.directory()) {
            Ok(Some(patient)) => {
                capture(&patient, cause, &self.recorder.masker(), before_end).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = captured {
            self.recorder.note(format!("the world could not be captured: {error}"));
        }
    }

    /// What is still there after everything was told to end, as lines.
    async fn leftovers(&self) -> Vec<String> {
        leftovers(self.ground.marker(), self.ground.directory()).await
    }

    /// Ends and removes all that is left, the watcher last, and records what would not go.
    async fn raze(mut self, mut leaks: Vec<(Owner, String)>, tasks: Tasks) {
        let mut own = |text: String| leaks.push((Owner::World, text));
        if let Err(error) = sweep::sweep(self.ground.directory()).await {
            own(error.to_string());
        }
        if let Err(error) = self.watcher.end(Signal::KILL, GONE_LIMIT).await {
            own(format!("watcher: {error}"));
        }
        join(tasks.clients).await;
        join(tasks.observers).await;
        join(tasks.keepers).await;
        if let Err(error) = self.ground.release() {
            own(format!("the world's lock: {error}"));
        }
        for (owner, text) in leaks {
            self.recorder.append(What::Leak { text, owner });
        }
    }
}

/// An earlier world with this number, whose harness and watcher both died.
async fn sweep_stale(ground: &Ground, recorder: &Recorder) -> Result<(), WorldError> {
    if !ground.directory().exists() {
        return Ok(());
    }
    let swept = aftermath(ground.directory()).await.map_err(failed("room for a world"))?;
    let left = swept.leftovers.join(", ");
    recorder.note(format!("an earlier world was never closed; removed its files, and: {left}"));
    Ok(())
}

/// The watcher carries no marker: it is not of the world, it outlives it.
fn start_watcher(
    ground: &Ground,
    environment: &Environment,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, WorldError> {
    let program = companion("racetrap")?;
    let spawn = Spawn {
        name: "watcher",
        program,
        arguments: vec![
            "watch".to_owned(),
            format!("--directory={}", text(ground.directory())),
            format!("--lock={}", text(&ground.lock_path())),
            format!("--marker={}", ground.marker()),
        ],
        environment: &environment.clone().without(MARKER),
        log: None,
    };
    Child::start(&spawn, tasks, recorder).map_err(failed("the watcher"))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

async fn start_wire(
    options: &WorldOptions,
    daemon: &Daemon,
    engine: &Engine,
    recorder: &Recorder,
) -> Result<Wire, WorldError> {
    let listen = daemon.docker_socket(options.needs.neighbour);
    if let Some(directory) = listen.parent() {
        std::fs::create_dir_all(directory).map_err(failed("the directory of docker.sock"))?;
    }
    let recorder = recorder.clone();
    let config = WireConfig {
        listen: Listen::Unix(listen),
        upstream: Upstream::Unix(engine.socket()),
        dialect: Dialect::Docker,
        sink: Arc::new(move |event| recorder.append(What::Wire(wire_message(event)))),
    };
    Ok(Wire::start(config).await?)
}

fn control_group(marker: &str) -> String {
    format!("racetrap-{marker}")
}

/// What is still there after everything was told to end, as lines.
async fn leftovers(marker: &str, directory: &Path) -> Vec<String> {
    let gone = polled("the world's processes to be gone", GONE_LIMIT, async || {
        let left = marked(MARKER, marker);
        if left.is_empty() {
            return ControlFlow::Break(());
        }
        let lines = left.iter().map(|(process, command)| format!("{} `{command}`", process.pid));
        ControlFlow::Continue(lines.collect::<Vec<_>>().join(", "))
    })
    .await;
    let mut lines: Vec<_> = gone.err().map(|error| error.to_string()).into_iter().collect();
    lines.extend(mounts_below(directory).iter().map(|mount| format!("mount {}", mount.display())));
    let groups = cgroups_of(&control_group(marker));
    lines.extend(groups.iter().map(|group| format!("control group {}", group.display())));
    lines
}

/// Waits for all tasks; a panic in one of them is a panic here, and no silence.
async fn join(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    let what = what.into();
    move |source| WorldError::Io { what, source }
}
