//! What stands on a world's foundation, started in the order in which one part needs another.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use racetrap_history::{DockerNeeds, VmMode, What};
use racetrap_wire::{Dialect, Listen, Upstream, Wire, WireConfig};
use tokio::time::Instant;

use super::error::{WorldError, failed};
use super::foundation::Foundation;
use super::options::WorldOptions;
use crate::daemon::{Api, Daemon, DaemonError};
use crate::docker_cli::{CliLayout, CliUser, Registry};
use crate::engine::{Engine, EngineConfig, Truth};
use crate::intent::{self, Intent};
use crate::kubernetes::StandIn;
use crate::passthrough::SentLogs;
use crate::process::Tasks;
use crate::recorder::Recorder;
use crate::sys::Pinned;
use crate::wire_record::wire_message;
use crate::world_directory as place;

/// How long the daemon may take to boot a guest, when software emulates it on a busy machine. Lima itself
/// gives up after 10 minutes.
const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// Everything that a world is made of, beside its foundation and its daemon.
pub(super) struct Parts {
    pub(super) api: Api,
    pub(super) engine: Engine,
    pub(super) truth: Truth,
    pub(super) user: CliUser,
    pub(super) kubernetes: Option<StandIn>,
    pub(super) wire: Wire,
    /// Keeps the socket of the wire where it is, if the daemon's Lima would put its own there.
    pub(super) pinned: Option<Pinned>,
    pub(super) sent_logs: SentLogs,
    /// Versions and controllers, which the history of each run of the world records.
    pub(super) facts: What,
}

impl Parts {
    /// Starts the engine, the wire, the user of the docker command, and the daemon.
    ///
    /// Stores the daemon in `daemon` as soon as its program has answered. If a later part fails,
    /// the caller still has it, and can capture the stacks of a daemon that runs.
    pub(super) async fn start(
        options: &WorldOptions,
        foundation: &Foundation,
        tasks: &mut Tasks,
        daemon: &mut Option<Daemon>,
    ) -> Result<Self, WorldError> {
        let Foundation { slot, environment, recorder, .. } = foundation;
        let directory = slot.directory();
        let declare = |intent: Intent| intent::declare(directory, &intent);
        let daemon =
            daemon.insert(Daemon::probe(&options.daemon, environment.clone(), recorder).await?);
        let (home, paths) = (environment.home().to_owned(), daemon.paths().clone());
        declare(Intent::Daemon { home, paths }).map_err(failed("the list of intents"))?;

        let needs = options.needs.docker.as_ref();
        let registry = start_registry(needs).await?;
        // The engine first: the wire forwards to its socket, and the truth is read from it.
        let site = EngineConfig {
            choice: options.engine,
            directory: place::engine(directory),
            log: place::engine_log(directory),
            console: place::guest_log(directory),
            environment: environment.clone(),
            control_group: foundation.control_group(),
            registry: registry.iter().flat_map(Registry::addresses).copied().collect(),
            live_restore: options.needs.live_restore,
        };
        declare(Intent::Engine { socket: site.socket() }).map_err(failed("the list of intents"))?;
        let starting = start_engine(options.vm, site, declare, tasks, recorder);
        let (mut engine, truth) = Box::pin(starting).await?;
        if let Some(text) = engine.lima_override() {
            daemon.set_lima_override(text);
        }
        let sent_logs = SentLogs::new(directory);
        let wire = start_wire(options, daemon, &engine, &sent_logs, recorder).await?;
        let pinned = match truth {
            Some(_) => None,
            None => Some(pin(&daemon.docker_socket(options.needs.neighbour))?),
        };

        // Before the daemon starts, so that no change that it makes to the docker configuration is
        // missed.
        let user_layout = CliLayout::new(directory, environment, needs);
        let user =
            CliUser::start(user_layout, registry, environment, &mut tasks.observers, recorder)
                .await?;
        let kubernetes = start_kubernetes(options, foundation, tasks).await?;
        if needs.is_some() {
            daemon.set_run_directory(user.run_directory());
        }

        declare(Intent::Process("daemon".to_owned())).map_err(failed("the list of intents"))?;
        let api =
            daemon.start(options.vm, options.needs.standalone, &options.prepared, tasks).await?;
        let truth = match truth {
            Some(truth) => truth,
            None => boot(daemon, &mut engine, tasks, recorder).await?,
        };
        // Only the API of a daemon that runs says which protocol it has.
        if let Some(needed) = options.needs.protocol {
            let had = api.protocol().await.map_err(DaemonError::from)?;
            if had != needed {
                return Err(WorldError::Protocol { needed, had });
            }
        }
        let (daemon_version, engine_version) = (daemon.version().await?, truth.version().await?);
        let controllers = api.enabled_controllers().await.map_err(DaemonError::from)?;
        let facts = What::Facts { daemon_version, engine: engine_version, controllers };
        Ok(Self { api, engine, truth, user, kubernetes, wire, pinned, sent_logs, facts })
    }
}

/// Starts the registry, if the scenario has a user of the docker command.
async fn start_registry(needs: Option<&DockerNeeds>) -> Result<Option<Registry>, WorldError> {
    if needs.is_none() {
        return Ok(None);
    }
    Registry::start().await.map(Some).map_err(failed("the registry"))
}

/// Starts the stand-in for the guest's Kubernetes, if the scenario needs one.
async fn start_kubernetes(
    options: &WorldOptions,
    foundation: &Foundation,
    tasks: &mut Tasks,
) -> Result<Option<StandIn>, WorldError> {
    if !options.needs.kubernetes {
        return Ok(None);
    }
    let Foundation { environment, recorder, .. } = foundation;
    let named = environment.variables().get("KUBECONFIG").map(PathBuf::from);
    let kubeconfig = named.unwrap_or_else(|| environment.home().join(".kube/config"));
    let started = StandIn::start(kubeconfig, &mut tasks.observers, recorder).await;
    let other = |error| failed("the stand-in for the guest's Kubernetes")(io::Error::other(error));
    started.map(Some).map_err(other)
}

/// Starts the engine, and observes it. In VM mode `guest`, only prepares it: it runs when the daemon's VM
/// does.
async fn start_engine(
    vm: VmMode,
    site: EngineConfig,
    declare: impl Fn(Intent) -> io::Result<()>,
    tasks: &mut Tasks,
    recorder: &Recorder,
) -> Result<(Engine, Option<Truth>), WorldError> {
    if vm == VmMode::Guest {
        return Ok((Engine::prepare_for_lima(site, declare)?, None));
    }
    let engine = Engine::start(site, declare, &mut tasks.keepers, recorder).await?;
    let truth = Truth::observe(&engine, &mut tasks.observers, recorder).await?;
    Ok((engine, Some(truth)))
}

/// Keeps the wire's socket where it is: the daemon's Lima would put its own there.
fn pin(socket: &Path) -> Result<Pinned, WorldError> {
    Pinned::mount(socket).map_err(failed("the daemon's docker.sock"))
}

/// Lets the daemon boot the guest with the engine, and connects the harness to it.
async fn boot(
    daemon: &Daemon,
    engine: &mut Engine,
    tasks: &mut Tasks,
    recorder: &Recorder,
) -> Result<Truth, WorldError> {
    let began = Instant::now();
    daemon.boot_guest(BOOT_LIMIT).await?;
    engine.wait_for_boot(&mut tasks.keepers, recorder).await?;
    let took = began.elapsed().as_secs_f64();
    recorder.note(format!("VM mode guest: the daemon has booted the guest in {took:.1} s"));
    Ok(Truth::observe(engine, &mut tasks.observers, recorder).await?)
}

/// Starts the wire where the daemon looks for its engine.
async fn start_wire(
    options: &WorldOptions,
    daemon: &Daemon,
    engine: &Engine,
    sent_logs: &SentLogs,
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
        tap: Some(sent_logs.tap()),
    };
    Ok(Wire::start(config).await?)
}
