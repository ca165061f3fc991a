//! Starts the daemon, and everything that belongs to one run of it.

use std::time::Duration;

use racetrap_history::{Exit, VmMode};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::adapter::{Daemon, NO_CHILD, Service};
use super::api::{Api, Resource};
use super::controllers::{Controllers, Launch};
use super::error::DaemonError;
use super::observe;
use super::prepared::{self, Prepared};
use super::stop::STOP_LIMIT;
use crate::process::{Lifetime, Tasks};
use crate::sys::{Identity, wait_for_end, with_own_run};

/// How long `svc create` and `svc start` may take: the limit of `svc start` itself is 90 s
/// (contract 1.3), and must be the one that is reached first.
const START_LIMIT: Duration = Duration::from_secs(100);

impl Daemon {
    /// Creates the daemon's service and starts it; then follows its API and runs its VM in mode
    /// `vm`. If `standalone`, the controllers of containers run as a program of their own.
    ///
    /// # Errors
    /// If a command fails, or if the daemon lacks what the mode or `standalone` needs.
    pub(crate) async fn start(
        &mut self,
        vm: VmMode,
        standalone: bool,
        prepared: &Prepared,
        tasks: &mut Tasks,
    ) -> Result<Api, DaemonError> {
        self.standalone = standalone;
        if standalone {
            // A missing program is an error before anything is created.
            Controllers::program(&self.program)?;
        }
        let mut controllers = "--controllers=*".to_owned();
        match vm {
            VmMode::Api => controllers.push_str(",-lima"),
            VmMode::Program | VmMode::Guest => self.prepare_lima()?,
        }
        if standalone {
            controllers.push_str(",-containers");
        }
        self.must_succeed(&["svc", "create", &controllers], START_LIMIT).await?;
        let api = self.start_prepared(controllers, prepared).await?;
        self.watch_process(&mut tasks.keepers)?;
        self.check_vm_mode(&api, vm).await?;
        self.start_controllers(&api, tasks).await?;
        self.observe(&api, vm, tasks).await?;
        Ok(api)
    }

    /// Starts the service so that it serves the kind LimaVM.
    ///
    /// Only its Lima controller defines that kind. Without the kind, the daemon's other controllers cannot
    /// begin to watch it, and give up after a while. So the service is started again with the kind
    /// (contract 7.6 B), unless an earlier world has left the database of such a daemon.
    async fn start_prepared(
        &mut self,
        controllers: String,
        prepared: &Prepared,
    ) -> Result<Api, DaemonError> {
        let key = prepared::Key { program: self.program.clone(), controllers };
        let database = self.required_path("dir")?.join("db");
        let first = prepared.first_start(key.clone()).await;
        let twice = first.put(&database).map_err(DaemonError::Database)?;
        // Other worlds wait only for the first one.
        let unknown = (!first.is_known()).then_some(first);
        let began = Instant::now();
        let started = self.start_service().await;
        if twice.is_some() && started.is_err() {
            // Perhaps because of the copy, so the next world starts without one.
            prepared.first_start(key).await.forget();
        }
        let api = started?;
        // Only now: a daemon that does not run yet would be started by its own help text.
        self.probe_wait_option().await?;
        if api.serves(Resource::LimaVms).await? {
            if let Some(twice) = twice {
                let (once, twice) = (began.elapsed().as_secs_f64(), twice.as_secs_f64());
                self.recorder.note(format!(
                    "the daemon started in {once:.1} s with the database of an earlier world, \
                     instead of twice in {twice:.1} s"
                ));
            } else if let Some(mut first) = unknown {
                first.needs_nothing();
            }
            return Ok(api);
        }
        self.define_lima_vms(&api).await?;
        self.must_succeed(&["svc", "stop"], STOP_LIMIT).await?;
        // The database is whole now, because the daemon has ended.
        let files = unknown.is_some().then(|| prepared::read(&database)).transpose();
        let files = files.map_err(DaemonError::Database)?;
        let api = self.start_service().await?;
        if let Some((mut first, files)) = unknown.zip(files) {
            first.keep(files, began.elapsed());
        }
        Ok(api)
    }

    /// Starts the service again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same
    /// data.
    pub(crate) async fn start_again(
        &mut self,
        vm: VmMode,
        tasks: &mut Tasks,
    ) -> Result<Api, DaemonError> {
        let api = self.start_service().await?;
        self.watch_process(&mut tasks.keepers)?;
        self.start_controllers(&api, tasks).await?;
        self.observe(&api, vm, tasks).await?;
        Ok(api)
    }

    async fn start_service(&self) -> Result<Api, DaemonError> {
        let arguments = ["svc", "start"].map(str::to_owned).to_vec();
        let mut spawn = self.spawn(arguments);
        if let Some(run) = &self.run_directory {
            let (program, arguments) = with_own_run(run, &spawn.program, &spawn.arguments);
            (spawn.program, spawn.arguments) = (program.into(), arguments);
        }
        self.require_success("svc start", self.run(&spawn, START_LIMIT).await?)?;
        // Only after the start: each start writes a kubeconfig with a new token.
        Ok(Api::connect(self.kubeconfig()?).await?)
    }

    /// Starts the stand-alone controllers if the daemon has them; ends those of an earlier run
    /// first.
    async fn start_controllers(&mut self, api: &Api, tasks: &mut Tasks) -> Result<(), DaemonError> {
        if let Some(earlier) = self.controllers.take() {
            earlier.end(&self.recorder).await;
        }
        if self.standalone {
            let log_dir = self.required_path("log_dir")?;
            let launch = Launch { daemon: &self.program, environment: &self.environment, log_dir };
            let started = Controllers::start(launch, api, &mut tasks.keepers, &self.recorder);
            self.controllers = Some(started.await?);
        }
        Ok(())
    }

    /// Follows the API, and in mode `api` plays the VM.
    async fn observe(&self, api: &Api, vm: VmMode, tasks: &mut Tasks) -> Result<(), DaemonError> {
        observe::follow_all(api, &mut tasks.clients, &self.recorder).await?;
        if vm == VmMode::Api {
            tasks.clients.spawn(self.play_vm(api));
        }
        Ok(())
    }

    /// Finds the process of the service and records its start; a task records its end.
    fn watch_process(&mut self, tasks: &mut JoinSet<()>) -> Result<(), DaemonError> {
        let identity = self.find_process().ok_or(DaemonError::NoProcess)?;
        // Each process has a `Lifetime` of its own. So a start of the next process cannot turn the
        // end of an earlier one, which the harness asked for, into one that it did not expect.
        let lifetime = Lifetime::begin("daemon", identity, &self.recorder);
        self.process = Some(Service { identity, lifetime: lifetime.clone() });
        tasks.spawn(async move {
            let why = match wait_for_end(identity, Duration::MAX).await {
                Ok(_) => NO_CHILD.to_owned(),
                Err(error) => error.to_string(),
            };
            lifetime.end(Exit::Unknown(why));
        });
        Ok(())
    }

    /// The process that the daemon's pid file names, if it carries the marker of this world.
    fn find_process(&self) -> Option<Identity> {
        let text = std::fs::read_to_string(self.paths.get("pid_file")?).ok()?;
        let process = Identity::from_pid(text.trim().parse().ok()?)?;
        self.environment.is_of(process).then_some(process)
    }
}
