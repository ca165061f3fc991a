//! A private dockerd in namespaces of its own, with its own data, sockets and control group.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use super::answer::{READY_LIMIT, wait_for_answer};
use super::choice::EngineChoice;
use super::error::EngineError;
use super::install::{Engines, Installed};
use super::site::Site;
use crate::intent::Intent;
use crate::process::{Child, Environment, Spawn, find_program, log_tail};
use crate::recorder::Recorder;
use crate::sys::{Identity, Namespace, Signal, in_namespace, is_root, new_namespace};
use crate::wait::{NotReached, polled};

/// How long a killed or stopped process may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);

/// A running dockerd.
#[derive(Debug)]
pub(crate) struct Dockerd {
    programs: Programs,
    site: Site,
    namespace: Namespace,
    holder: Child,
    daemon: Child,
}

/// Where dockerd and the programs that it starts are.
#[derive(Debug)]
enum Programs {
    /// Where the machine has them; this is its dockerd.
    OfMachine(PathBuf),
    /// In the place of `/usr`, for the engine alone.
    Installed(Installed),
}

impl Programs {
    fn of(choice: EngineChoice) -> Result<Self, EngineError> {
        Ok(match choice.installed_version() {
            None => Self::OfMachine(find_program("dockerd").ok_or(EngineError::Missing)?),
            Some(version) => Self::Installed(Engines::of_user()?.take(version)?),
        })
    }

    fn dockerd(&self) -> &Path {
        match self {
            Self::OfMachine(path) => path,
            Self::Installed(_) => Path::new("/usr/sbin/dockerd"),
        }
    }

    /// What is put in the place of `/usr`.
    fn usr(&self) -> Option<PathBuf> {
        match self {
            Self::OfMachine(_) => None,
            Self::Installed(installed) => Some(installed.usr()),
        }
    }

    /// dockerd looks for containerd and runc on PATH; the user's may have others before `/usr`.
    fn environment(&self, world: &Environment) -> Environment {
        match self {
            Self::OfMachine(_) => world.clone(),
            Self::Installed(_) => world.clone().with("PATH", "/usr/sbin:/usr/bin"),
        }
    }
}

impl Dockerd {
    /// Starts one and waits until it answers. `declare` is told what will be made, before.
    pub(super) async fn start(
        site: Site,
        declare: impl Fn(Intent) -> io::Result<()>,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, EngineError> {
        let programs = Programs::of(site.choice)?;
        if !is_root() {
            return Err(EngineError::NotRoot);
        }
        let failed = |source| EngineError::Process { what: "started", source };
        site.lay_out().map_err(failed)?;
        declare(Intent::ControlGroup(site.control_group.clone())).map_err(failed)?;
        declare(Intent::Process("engine-namespace".to_owned())).map_err(failed)?;
        declare(Intent::Process("engine".to_owned())).map_err(failed)?;
        let holder = hold_namespace(&programs, &site, tasks, recorder)?;
        let namespace = namespace_of(&holder, &site.log).await?;
        let daemon = launch(&programs, &site, namespace, tasks, recorder)?;
        let engine = Self { programs, site, namespace, holder, daemon };
        engine.wait_until_ready().await?;
        Ok(engine)
    }

    /// Its socket, past the wire.
    pub(super) fn socket(&self) -> PathBuf {
        self.site.socket()
    }

    /// Starts it again after it was killed or stopped, on the same data.
    pub(super) async fn restart(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        // None is left where dockerd ended in order.
        let _ = std::fs::remove_file(self.site.pid_file());
        self.daemon = launch(&self.programs, &self.site, self.namespace, tasks, recorder)?;
        self.wait_until_ready().await
    }

    /// Freezes dockerd. `nsenter` stops itself when its child is stopped, so that is waited for: one
    /// that stopped later would never notice dockerd's end.
    pub(super) async fn freeze(&self) -> Result<(), EngineError> {
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

    /// Ends a freeze: `nsenter` goes on, and lets its child go on. That is waited for: what it still had
    /// to tell its child would end a freeze that comes soon after.
    pub(super) async fn thaw(&self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "thawed", source };
        self.daemon.identity().signal(Signal::CONT).map_err(failed)?;
        let dockerd = self.process().map_err(failed)?;
        let goes_on = polled("dockerd to go on", END_LIMIT, async || {
            if dockerd.is_stopped() {
                return ControlFlow::Continue("it is stopped".to_owned());
            }
            ControlFlow::Break(())
        });
        goes_on.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Ends dockerd by a signal and waits for that; its namespace stays.
    pub(super) async fn end(&mut self, signal: Signal) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.daemon.expect_end();
        self.process().map_err(failed)?.signal(signal).map_err(failed)?;
        self.daemon.wait_for_end(END_LIMIT).await.map_err(|error| failed(io::Error::other(error)))
    }

    /// Ends everything in the engine's namespace at once; its data are worth nothing by now.
    pub(super) async fn close(mut self) -> Result<(), EngineError> {
        let failed = |source| EngineError::Process { what: "ended", source };
        self.daemon.expect_end();
        self.holder.expect_end();
        self.namespace.init.signal(Signal::KILL).map_err(failed)?;
        crate::sys::thaw_cgroups(&self.site.control_group).map_err(failed)?;
        // A run may have ended while the engine was frozen.
        self.daemon.identity().signal(Signal::CONT).map_err(failed)?;
        for child in [&mut self.daemon, &mut self.holder] {
            let ended = child.wait_for_end(END_LIMIT).await;
            ended.map_err(|error| failed(io::Error::other(error)))?;
        }
        // The processes of its containers die with the namespace, but may do so after its first one.
        let removed = polled("the engine's control groups to be empty", END_LIMIT, async || {
            match crate::sys::remove_cgroups(&self.site.control_group) {
                Ok(()) => ControlFlow::Break(()),
                Err(error) => ControlFlow::Continue(error.to_string()),
            }
        });
        removed.await.map_err(|error| failed(io::Error::other(error)))
    }

    /// dockerd as the host sees it: the child that `nsenter` made.
    fn process(&self) -> io::Result<Identity> {
        let children = self.daemon.identity().children();
        children.first().copied().ok_or_else(|| io::Error::other("dockerd does not run"))
    }

    async fn wait_until_ready(&self) -> Result<(), EngineError> {
        wait_for_answer(&self.socket(), || self.daemon.ended(), &self.site.log).await
    }
}

fn hold_namespace(
    programs: &Programs,
    site: &Site,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let (program, arguments) = new_namespace(programs.usr().as_deref());
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
    programs: &Programs,
    site: &Site,
    namespace: Namespace,
    tasks: &mut JoinSet<()>,
    recorder: &Recorder,
) -> Result<Child, EngineError> {
    let program = programs.dockerd().to_string_lossy();
    let (enter, arguments) = in_namespace(namespace, &program, &site.arguments());
    let spawn = Spawn {
        name: "engine",
        program: enter.into(),
        arguments,
        environment: &programs.environment(&site.environment),
        log: Some(site.log.clone()),
    };
    Child::start(&spawn, tasks, recorder)
        .map_err(|source| EngineError::Process { what: "started", source })
}
