//! A private dockerd in namespaces of its own, with its own data, sockets and control group.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::log_tail::log_tail;
use crate::recorder::Recorder;
use crate::sys::{Identity, Namespace, Signal, in_namespace, is_root, new_namespace};
use crate::wait::{NotReached, polled};
use crate::world::{Child, Environment, Intent, Spawn};

/// How long a dockerd may take to answer its first ping.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How long a killed or stopped process may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// The engine could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no dockerd.
    #[error("there is no dockerd on PATH")]
    Missing,
    /// A private dockerd needs namespaces and control groups.
    #[error("a private dockerd needs root, and this is not root")]
    NotRoot,
    /// It did not become ready.
    #[error("dockerd did not become ready; the end of its log:\n{log}")]
    NotReady {
        /// What was waited for.
        #[source]
        source: NotReached,
        /// The last lines of its log.
        log: String,
    },
    /// It could not be started or signalled.
    #[error("dockerd could not be {what}")]
    Process {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Finds a program on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// A running dockerd.
#[derive(Debug)]
pub(crate) struct Dockerd {
    program: PathBuf,
    site: Site,
    namespace: Namespace,
    holder: Child,
    daemon: Child,
}

/// Where an engine lives.
#[derive(Debug)]
pub(crate) struct Site {
    /// Its directory; it does not exist yet.
    pub(crate) directory: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
    /// The world's environment.
    pub(crate) environment: Environment,
    /// The control group of its containers; no other world has one of this name.
    pub(crate) control_group: String,
}

impl Dockerd {
    /// Starts one and waits until it answers. `declare` is told what will be made, before.
    pub(crate) async fn start(
        site: Site,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let program = find_program("dockerd").ok_or(EngineError::Missing)?;
        if !is_root() {
            return Err(EngineError::NotRoot);
        }
        let failed = |source| EngineError::Process { what: "started", source };
        std::fs::create_dir_all(&site.directory).map_err(failed)?;
        declare(Intent::ControlGroup(site.control_group.clone())).map_err(failed)?;
        declare(Intent::Process("engine-namespace".to_owned())).map_err(failed)?;
        declare(Intent::Process("engine".to_owned())).map_err(failed)?;
        let holder = hold_namespace(&site, tasks, recorder)?;
        let namespace = namespace_of(&holder, &site.log).await?;
        let daemon = launch(&program, &site, namespace, tasks, recorder)?;
        let engine = Self { program, site, namespace, holder, daemon };
        engine.wait_until_ready().await?;
        Ok(engine)
    }

    /// Its socket, past the wire.
    pub(crate) fn socket(&self) -> PathBuf {
        socket(&self.site.directory)
    }

    /// Starts it again after it was killed or stopped, on the same data.
    pub(crate) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // The pid file of a killed dockerd would make the next one refuse.
        let _ = std::fs::remove_file(pid_file(&self.site.directory));
        self.daemon = launch(&self.program, &self.site, self.namespace, tasks, recorder)?;
        self.wait_until_ready().await
    }

    /// Freezes dockerd. `nsenter` stops itself when its child is stopped, so that is waited for: one
    /// that stopped later would never notice dockerd's end.
    pub(crate) async fn freeze(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "frozen", source };
        self.process().map_err(failed)?.signal(Signal::STOP).map_err(failed)?;
        let parent = self.daemon.identity();
        let stopped = polled("dockerd and its parent to be stopped", END_LIMIT, async || {
            if parent.is_stopped() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue("its parent still runs".to_owned())
        });
        stopped.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Ends a freeze: `nsenter` first, which lets its child go on.
    pub(crate) fn thaw(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "thawed", source };
        self.daemon.identity().signal(Signal::CONT).map_err(failed)?;
        self.process().map_err(failed)?.signal(Signal::CONT).map_err(failed)
    }

    /// Ends dockerd by a signal and waits for that; its namespace stays.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.daemon.expect_end();
        self.process().map_err(failed)?.signal(signal).map_err(failed)?;
        self.daemon.wait_for_end(END_LIMIT).await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Ends everything in the engine's namespace at once; its data are worth nothing by now.
    pub(crate) async fn close(mut self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.daemon.expect_end();
        self.holder.expect_end();
        self.namespace.init.signal(Signal::KILL).map_err(failed)?;
        // A run may have ended while the engine was frozen.
        self.daemon.identity().signal(Signal::CONT).map_err(failed)?;
        for child in [&mut self.daemon, &mut self.holder] {
            let ended = child.wait_for_end(END_LIMIT).await;
            ended.map_err(|error| failed(io::Error::other(error)))?;
        }
        crate::sys::remove_cgroups(&self.site.control_group).map_err(failed)
    }

    /// dockerd as the host sees it: the child that `nsenter` made.
    fn process(&self) -> io::Result<Identity> {
        let children = self.daemon.identity().children();
        children.first().copied().ok_or_else(|| io::Error::other("dockerd does not run"))
    }

    async fn wait_until_ready(&self) -> Result<(), EngineError> {
        let socket = self.socket();
        let ready = polled("dockerd's answer to a ping", READY_LIMIT, async || {
            if let Some(how) = self.daemon.ended() {
                return ControlFlow::Break(Err(how));
            }
            match ping(&socket).await {
                Ok(()) => ControlFlow::Break(Ok(())),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        })
        .await;
        let source = match ready {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(how)) => NotReached::new(
                "dockerd's answer to a ping",
                Duration::ZERO,
                format!("it ended: {how}"),
            ),
            Err(source) => source,
        };
        Err(EngineError::NotReady { source, log: log_tail(&self.site.log) })
    }
}

fn hold_namespace(
    site: &Site,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let (program, arguments) = new_namespace();
    let spawn = Spawn {
        name: "engine-namespace",
        program: program.into(),
        arguments,
        environment: &site.environment,
        log: Some(site.log.clone()),
    };
    Child::start(&spawn, tasks, recorder)
        .map_err(|source| EngineError::Process { what: "given a namespace", source })
}

/// The namespace is whole once its first process has become the one that only waits.
async fn namespace_of(holder: &Child, log: &Path) -> Result<Namespace, EngineError> {
    let made = polled("the engine's namespace", READY_LIMIT, async || {
        if let Some(how) = holder.ended() {
            return ControlFlow::Break(Err(how));
        }
        let Some(init) = holder.identity().children().first().copied() else {
            return ControlFlow::Continue("no process in it yet".to_owned());
        };
        match Namespace::held_by(init) {
            Ok(namespace) => ControlFlow::Break(Ok(namespace)),
            Err(why_not) => ControlFlow::Continue(why_not),
        }
    })
    .await;
    let source = match made {
        Ok(Ok(namespace)) => return Ok(namespace),
        Ok(Err(how)) => NotReached::new("the engine's namespace", Duration::ZERO, how),
        Err(source) => source,
    };
    Err(EngineError::NotReady { source, log: log_tail(log) })
}

fn launch(
    program: &Path,
    site: &Site,
    namespace: Namespace,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let directory = &site.directory;
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let arguments = vec![
        format!("--data-root={}", text(directory.join("data"))),
        format!("--exec-root={}", text(directory.join("exec"))),
        format!("--pidfile={}", text(pid_file(directory))),
        format!("--host=unix://{}", text(socket(directory))),
        format!("--cgroup-parent=/{}", site.control_group),
        "--bridge=none".to_owned(),
        "--iptables=false".to_owned(),
        "--ip6tables=false".to_owned(),
    ];
    let (enter, arguments) = in_namespace(namespace, &program.to_string_lossy(), &arguments);
    let spawn = Spawn {
        name: "engine",
        program: enter.into(),
        arguments,
        environment: &site.environment,
        log: Some(site.log.clone()),
    };
    Child::start(&spawn, tasks, recorder)
        .map_err(|source| EngineError::Process { what: "started", source })
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("engine.sock")
}

fn pid_file(directory: &Path) -> PathBuf {
    directory.join("dockerd.pid")
}

async fn ping(socket: &Path) -> Result<(), super::truth::TruthError> {
    super::truth::connect(socket).await.map(|_| ())
}
