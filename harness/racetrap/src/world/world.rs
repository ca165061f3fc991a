//! Start and close of a world, each in one fixed order.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use racetrap_history::{VmMode, What};
use racetrap_wire::{Wire, WireConfig, WireError};
use tokio::task::JoinSet;

use super::child::{Child, Spawn};
use super::environment::{Environment, MARKER};
use super::ground::{Ground, GroundError};
use super::intent::{self, Intent};
use super::sweep;
use super::wire_record::wire_message;
use crate::companion::{NotBuilt, companion};
use crate::daemon::{Api, Daemon, DaemonError};
use crate::engine::{Dockerd, EngineError, Site, Truth, TruthError, Workload};
use crate::recorder::Recorder;
use crate::sys::{Signal, cgroups_of, marked, mounts_below};
use crate::wait::polled;

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

/// What a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct WorldOptions {
    /// The daemon's program.
    pub(crate) daemon: PathBuf,
    /// Defects to switch on in it.
    pub(crate) defects: Vec<String>,
    /// How its VM is run.
    pub(crate) vm: VmMode,
    /// Where evidence goes; it exists.
    pub(crate) evidence: PathBuf,
}

/// One isolated daemon, its engine, and the wire between them.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) api: Api,
    pub(crate) engine: Dockerd,
    pub(crate) truth: Truth,
    pub(crate) workload: Workload,
    pub(crate) wire: Wire,
    pub(crate) tasks: Tasks,
    foundation: Foundation,
}

/// What a world stands on, from its first file to its last.
struct Foundation {
    ground: Ground,
    environment: Environment,
    watcher: Child,
    recorder: Recorder,
}

/// Tasks of a world, by how they end.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Wait for processes, and end with them.
    pub(crate) keepers: JoinSet<()>,
    /// Observe for as long as the world lives, and are ended with it.
    pub(crate) observers: JoinSet<()>,
}

/// What is known of a world before its daemon runs.
pub(crate) struct WorldFacts {
    pub(crate) daemon_version: String,
    pub(crate) engine: String,
}

impl World {
    /// Makes a world. What was begun and then failed is swept before the error is returned.
    pub(crate) async fn start(
        options: &WorldOptions,
        recorder: &Recorder,
    ) -> Result<Self, WorldError> {
        let mut tasks = Tasks::default();
        let foundation = Foundation::lay(options, &mut tasks, recorder).await?;
        match Parts::make(options, &foundation, &mut tasks).await {
            Ok(Parts { daemon, api, engine, truth, wire }) => {
                let workload = Workload::new(truth.docker().clone());
                Ok(Self { daemon, api, engine, truth, workload, wire, tasks, foundation })
            }
            Err(error) => {
                tasks.observers.abort_all();
                foundation.raze(Vec::new(), tasks).await;
                Err(error)
            }
        }
    }

    /// What runs here, for the head of the history.
    pub(crate) async fn facts(&self) -> Result<WorldFacts, WorldError> {
        let daemon_version = self.daemon.version().await?;
        Ok(WorldFacts { daemon_version, engine: self.truth.version().await? })
    }

    /// Ends all that the world made, the youngest first, and records what would not go.
    ///
    /// # Panics
    /// With the panic of any task of the world.
    pub(crate) async fn close(mut self) {
        let mut leaks = Vec::new();
        leaks.extend(self.daemon.stop().await);
        self.tasks.observers.abort_all();
        if let Err(error) = self.wire.close().await {
            leaks.push(format!("wire: {error}"));
        }
        if let Err(error) = self.engine.close().await {
            leaks.push(format!("engine: {error}"));
        }
        leaks.extend(self.foundation.leftovers().await);
        self.foundation.raze(leaks, self.tasks).await;
    }
}

/// What stands on the foundation.
struct Parts {
    daemon: Daemon,
    api: Api,
    engine: Dockerd,
    truth: Truth,
    wire: Wire,
}

impl Parts {
    async fn make(
        options: &WorldOptions,
        foundation: &Foundation,
        tasks: &mut Tasks,
    ) -> Result<Self, WorldError> {
        let Foundation { ground, environment, recorder, .. } = foundation;
        let mut daemon = Daemon::meet(&options.daemon, environment.clone(), recorder).await?;
        let declare = |intent: Intent| intent::declare(ground.directory(), &intent);
        let site = Site {
            directory: ground.directory().join("e"),
            log: options.evidence.join("engine.log"),
            environment: environment.clone(),
            control_group: control_group(ground.marker()),
        };
        let engine = Dockerd::start(site, declare, &mut tasks.keepers, recorder).await?;
        let truth = Truth::observe(engine.socket(), &mut tasks.observers, recorder).await?;
        let wire = start_wire(&daemon, &engine, recorder).await?;
        declare(Intent::Process("daemon".to_owned())).map_err(failed("the list of intents"))?;
        let api = daemon.start(options.vm, tasks).await?;
        Ok(Self { daemon, api, engine, truth, wire })
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

    /// What is still there after everything was told to end, as lines.
    async fn leftovers(&self) -> Vec<String> {
        leftovers(self.ground.marker(), self.ground.directory()).await
    }

    /// Ends and removes all that is left, the watcher last, and records what would not go.
    async fn raze(mut self, mut leaks: Vec<String>, tasks: Tasks) {
        if let Err(error) = sweep::sweep(self.ground.directory()).await {
            leaks.push(error.to_string());
        }
        if let Err(error) = self.watcher.end(Signal::KILL, GONE_LIMIT).await {
            leaks.push(format!("watcher: {error}"));
        }
        join(tasks.observers).await;
        join(tasks.keepers).await;
        if let Err(error) = self.ground.release() {
            leaks.push(format!("the world's lock: {error}"));
        }
        for text in leaks {
            self.recorder.append(What::Leak { text });
        }
    }
}

/// An earlier world with this number, whose harness and watcher both died.
async fn sweep_stale(ground: &Ground, recorder: &Recorder) -> Result<(), WorldError> {
    if !ground.directory().exists() {
        return Ok(());
    }
    let swept = sweep::sweep(ground.directory()).await.map_err(failed("room for a world"))?;
    let left = swept.leftovers.join(", ");
    recorder.note(format!("an earlier world was never closed; removed its files, and: {left}"));
    Ok(())
}

/// Makes the world's directories, and says first what is going to be there.
fn lay_out(ground: &Ground, options: &WorldOptions) -> Result<Environment, WorldError> {
    let directory = ground.directory();
    let environment = Environment::of_world(directory, ground.number(), ground.marker());
    let make = || -> io::Result<()> {
        std::fs::create_dir(directory)?;
        let marker = ground.marker().to_owned();
        let evidence = std::path::absolute(&options.evidence)?;
        intent::declare(directory, &Intent::World { marker, evidence })?;
        std::fs::create_dir(environment.home())?;
        std::fs::create_dir(directory.join("t"))
    };
    make().map_err(failed("the world's directory"))?;
    let environment = match options.vm {
        VmMode::Api => environment,
        VmMode::Program => {
            environment.with(&racetrap_vm::program_variable(), text(&companion("qemu-standin")?))
        }
    };
    if options.defects.is_empty() {
        return Ok(environment);
    }
    Ok(environment.with("RDD_DEFECT", options.defects.join(",")))
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
    daemon: &Daemon,
    engine: &Dockerd,
    recorder: &Recorder,
) -> Result<Wire, WorldError> {
    let listen = daemon.docker_socket();
    if let Some(directory) = listen.parent() {
        std::fs::create_dir_all(directory).map_err(failed("the directory of docker.sock"))?;
    }
    let recorder = recorder.clone();
    let config = WireConfig {
        listen,
        upstream: engine.socket(),
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

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    let what = what.into();
    move |source| WorldError::Io { what, source }
}
