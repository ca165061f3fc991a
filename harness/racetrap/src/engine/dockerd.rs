//! A private dockerd as a process, with its own namespaces, data, sockets and control group.
//!
//! The harness starts three kinds of processes for it:
//! - the holder, `unshare`, whose first child holds a mount and PID namespace; killing that child
//!   ends everything in the namespace;
//! - `nsenter`, which enters the namespace and waits for its child;
//! - that child, dockerd. After a kill, a new pair of `nsenter` and dockerd enters the same
//!   namespace.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use super::choice::EngineChoice;
use super::config::EngineConfig;
use super::error::EngineError;
use super::install::{Engines, Installed};
use super::ready::{READY_LIMIT, wait_until_ready};
use crate::intent::Intent;
use crate::process::{Child, Environment, Spawn, find_program, log_tail};
use crate::recorder::Recorder;
use crate::sys::{
    Identity, Namespace, Signal, in_namespace, is_root, new_namespace, remove_cgroups, thaw_cgroups,
};
use crate::wait::{NotReached, polled};

/// How long a process may take to end after a signal, or to stop after SIGSTOP.
const END_LIMIT: Duration = Duration::from_secs(30);

/// A running dockerd.
#[derive(Debug)]
pub(crate) struct Dockerd {
    programs: Programs,
    config: EngineConfig,
    namespace: Namespace,
    /// `unshare`, the parent of the namespace's first process.
    holder: Child,
    /// `nsenter`, the parent of dockerd.
    nsenter: Child,
}

/// The programs of the engine.
#[derive(Debug)]
enum Programs {
    /// The machine's own; the path is that of dockerd.
    Machine(PathBuf),
    /// An installed version, whose `/usr` replaces the machine's in the engine's namespace.
    Installed(Installed),
}

impl Programs {
    fn find(choice: EngineChoice) -> Result<Self, EngineError> {
        Ok(match choice.installed_version() {
            None => Self::Machine(find_program("dockerd").ok_or(EngineError::Missing)?),
            Some(version) => Self::Installed(Engines::in_user_cache()?.acquire(version)?),
        })
    }

    fn dockerd(&self) -> &Path {
        match self {
            Self::Machine(path) => path,
            Self::Installed(_) => Path::new("/usr/sbin/dockerd"),
        }
    }

    /// The directory that replaces `/usr`.
    fn usr(&self) -> Option<PathBuf> {
        match self {
            Self::Machine(_) => None,
            Self::Installed(installed) => Some(installed.usr()),
        }
    }

    /// The environment of dockerd, which looks for containerd and runc on PATH. An installed
    /// version must not find other ones, which the user may have before those in `/usr`.
    fn environment(&self, world: &Environment) -> Environment {
        match self {
            Self::Machine(_) => world.clone(),
            Self::Installed(_) => world.clone().with("PATH", "/usr/sbin:/usr/bin"),
        }
    }
}

impl Dockerd {
    /// Starts the engine and waits until it answers. Calls `declare` with each thing that it is
    /// going to create.
    pub(super) async fn start(
        config: EngineConfig,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let programs = Programs::find(config.choice)?;
        if !is_root() {
            return Err(EngineError::NotRoot);
        }
        let failed = |source| EngineError::Process { what: "started", source };
        config.write_files().map_err(failed)?;
        declare(Intent::ControlGroup(config.control_group.clone())).map_err(failed)?;
        declare(Intent::Process("engine-namespace".to_owned())).map_err(failed)?;
        declare(Intent::Process("engine".to_owned())).map_err(failed)?;
        let holder = hold_namespace(&programs, &config, tasks, recorder)?;
        let namespace = namespace_of(&holder, &config.log).await?;
        let nsenter = launch(&programs, &config, namespace, tasks, recorder)?;
        let engine = Self { programs, config, namespace, holder, nsenter };
        engine.wait_until_ready().await?;
        Ok(engine)
    }

    /// The engine's own socket, past the wire.
    pub(super) fn socket(&self) -> PathBuf {
        self.config.socket()
    }

    /// Starts the engine again after it was killed or stopped, on the same data.
    pub(super) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // After a stop there is none. After a kill it names a process that is gone, but dockerd
        // would refuse to start because of it.
        let _ = std::fs::remove_file(self.config.pid_file());
        self.nsenter = launch(&self.programs, &self.config, self.namespace, tasks, recorder)?;
        self.wait_until_ready().await
    }

    /// Freezes dockerd, and waits until its parent has stopped too: `nsenter` stops itself when it
    /// notices that its child is stopped. If it noticed that later, for example after dockerd was
    /// thawed and killed, it would stay stopped and never notice dockerd's end.
    pub(super) async fn freeze(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "frozen", source };
        self.process().map_err(failed)?.signal(Signal::STOP).map_err(failed)?;
        let parent = self.nsenter.identity();
        let stopped = polled("dockerd's parent to be stopped", END_LIMIT, async || {
            if parent.is_stopped() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue("its parent still runs".to_owned())
        });
        stopped.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Lets a frozen engine go on. The signal goes to `nsenter`, which then sends SIGCONT to
    /// dockerd. This waits until dockerd goes on: a SIGCONT that `nsenter` sends later would end
    /// the next freeze.
    pub(super) async fn thaw(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "thawed", source };
        self.nsenter.identity().signal(Signal::CONT).map_err(failed)?;
        let dockerd = self.process().map_err(failed)?;
        let continued = polled("dockerd to go on", END_LIMIT, async || {
            if dockerd.is_stopped() {
                return ControlFlow::Continue("it is stopped".to_owned());
            }
            ControlFlow::Break(())
        });
        continued.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Ends dockerd by a signal and waits for its end. Its namespace stays.
    pub(super) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.nsenter.expect_end();
        self.process().map_err(failed)?.signal(signal).map_err(failed)?;
        // `nsenter` ends with its child, so its end means that dockerd has ended.
        self.nsenter.wait_for_end(END_LIMIT).await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Kills everything in the engine's namespace. Its data may be damaged; the caller removes
    /// them.
    pub(super) async fn close(mut self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.nsenter.expect_end();
        self.holder.expect_end();
        self.namespace.init.signal(Signal::KILL).map_err(failed)?;
        // A scenario may leave containers paused or the engine frozen. A process in a frozen
        // control group does not die, and a stopped `nsenter` does not notice the end of its child.
        thaw_cgroups(&self.config.control_group).map_err(failed)?;
        self.nsenter.identity().signal(Signal::CONT).map_err(failed)?;
        for child in [&mut self.nsenter, &mut self.holder] {
            let ended = child.wait_for_end(END_LIMIT).await;
            ended.map_err(|error| failed(io::Error::other(error)))?;
        }
        // The kernel kills the containers' processes after the first process of the namespace.
        // Until the last one is gone, its control group cannot be removed.
        let removed = polled("the engine's control groups to be empty", END_LIMIT, async || {
            match remove_cgroups(&self.config.control_group) {
                Ok(()) => ControlFlow::Break(()),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        });
        removed.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// dockerd as a process of the machine: the child of `nsenter`.
    fn process(&self) -> io::Result<Identity> {
        let children = self.nsenter.identity().children();
        children.first().copied().ok_or_else(|| io::Error::other("dockerd does not run"))
    }

    async fn wait_until_ready(&self) -> Result<(), EngineError> {
        wait_until_ready(&self.socket(), || self.nsenter.ended(), &self.config.log).await
    }
}

/// Starts the process that creates and holds the namespace.
fn hold_namespace(
    programs: &Programs,
    config: &EngineConfig,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let (program, arguments) = new_namespace(programs.usr().as_deref());
    let spawn = Spawn {
        name: "engine-namespace",
        program: program.into(),
        arguments,
        environment: &config.environment,
        log: Some(config.log.clone()),
    };
    Child::start(&spawn, tasks, recorder)
        .map_err(|source| EngineError::Process { what: "given a namespace", source })
}

/// Waits until the namespace is complete, which its first process shows by doing nothing but wait:
/// before that, it still mounts file systems.
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

/// Starts dockerd in the namespace. Returns its parent.
fn launch(
    programs: &Programs,
    config: &EngineConfig,
    namespace: Namespace,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let program = programs.dockerd().to_string_lossy();
    let (enter, arguments) = in_namespace(namespace, &program, &config.arguments());
    let spawn = Spawn {
        name: "engine",
        program: enter.into(),
        arguments,
        environment: &programs.environment(&config.environment),
        log: Some(config.log.clone()),
    };
    Child::start(&spawn, tasks, recorder)
        .map_err(|source| EngineError::Process { what: "started", source })
}
