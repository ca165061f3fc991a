//! The world itself: what a run does with it, and its start and close, each in one fixed order.

use std::fs::File;
use std::io;
use std::path::Path;

use racetrap_history::{Owner, VmMode, What};
use racetrap_wire::Wire;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client_wire::{ClientWireError, insert_client_wire};
use super::error::{WorldError, failed};
use super::foundation::Foundation;
use super::logs;
use super::options::WorldOptions;
use super::parts::Parts;
use super::reuse::ReuseState;
use crate::bundle::{Cause, Trigger, past_wire};
use crate::chain::chain;
use crate::clock::Clock;
use crate::daemon::{Admission, AdmissionError, Api, ApiError, Daemon, DaemonError, Resource, Vms};
use crate::docker_cli::CliUser;
use crate::engine::{Engine, EngineError, Truth, TruthError, Workload};
use crate::intent::{self, Intent};
use crate::kubernetes::StandIn;
use crate::passthrough::SentLogs;
use crate::process::{MARKER, Tasks};
use crate::recorder::{Recorder, Whole};
use crate::sys::{Identity, Pinned, marked};
use crate::world_directory::idle_journal;

/// One isolated daemon, its engine, and the wire between them.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) api: Api,
    pub(crate) engine: Engine,
    pub(crate) truth: Truth,
    pub(crate) workload: Workload,
    pub(crate) user: CliUser,
    /// The stand-in for the guest's Kubernetes, if the scenario needs one.
    pub(crate) kubernetes: Option<StandIn>,
    pub(crate) wire: Wire,
    /// Keeps the wire's socket where it is.
    pinned: Option<Pinned>,
    /// The logs that the engine has sent over the wire.
    pub(crate) sent_logs: SentLogs,
    /// The wire between clients and the daemon's API, once a step has needed it.
    client_wire: Option<Wire>,
    pub(crate) tasks: Tasks,
    pub(crate) vm: VmMode,
    /// The daemon's VMs; `None` in VM mode `api`.
    vms: Option<Vms>,
    pub(super) reuse: ReuseState,
    /// The harness's admission, once a step has needed it.
    admission: Option<Admission>,
    /// Versions and controllers, recorded at the beginning of each run.
    facts: What,
    foundation: Foundation,
}

impl World {
    /// Starts a world.
    ///
    /// # Errors
    /// If a part of it does not start, or lacks what the scenario needs. The parts that did start
    /// are captured, if something is broken, and swept.
    pub(crate) async fn start(
        options: &WorldOptions,
        recorder: &Recorder,
    ) -> Result<Self, WorldError> {
        let began = Instant::now();
        let mut tasks = Tasks::default();
        let foundation = Foundation::create(options, &mut tasks, recorder).await;
        let foundation = foundation.inspect_err(|error| recorder.append(error.record()))?;
        let mut daemon = None;
        let parts = match Parts::start(options, &foundation, &mut tasks, &mut daemon).await {
            Ok(parts) => parts,
            Err(error) => {
                // Before the harness ends anything: the reason is what the history says first.
                recorder.append(error.record());
                // The capture must come before the sweep, which leaves nothing to look at.
                if !error.is_not_applicable() {
                    let cause = Cause::new(Trigger::Unmade, chain(&error));
                    let expect_stack_dump =
                        || daemon.iter_mut().for_each(Daemon::expect_stack_dump);
                    foundation.capture(cause, expect_stack_dump).await;
                }
                recorder.expect_ends();
                tasks.observers.abort_all();
                tasks.clients.abort_all();
                foundation.destroy(Vec::new(), tasks).await;
                return Err(error);
            }
        };
        let Parts { api, engine, truth, user, kubernetes, wire, pinned, sent_logs, facts } = parts;
        recorder.append(facts.clone());
        user.begin();
        kubernetes.iter().for_each(StandIn::begin);
        let processes = marked(MARKER, foundation.slot.marker());
        let daemon = daemon.expect("`Parts::start` stores the daemon before it succeeds");
        let lima_home = daemon.paths().get("lima_home").filter(|_| options.vm != VmMode::Api);
        let vms = lima_home
            .map(|home| Vms::start(home, &foundation.environment, &mut tasks.observers, recorder));
        Ok(Self {
            daemon,
            vms,
            api,
            engine,
            workload: Workload::new(truth.docker().clone()),
            truth,
            user,
            kubernetes,
            wire,
            pinned,
            sent_logs,
            client_wire: None,
            tasks,
            vm: options.vm,
            reuse: ReuseState::new(began.elapsed(), processes.into_iter()),
            admission: None,
            facts,
            foundation,
        })
    }

    /// Begins the history of a run in this world: every record from here on goes to `journal`,
    /// `head` first.
    pub(crate) fn begin_history(&mut self, journal: File, clock: Clock, head: What) {
        // Lines that the daemon has logged so far belong to the history that ends here.
        self.daemon.read_log();
        self.recorder().begin_history(journal, clock, head);
        // The containers of earlier runs are gone, and their logs with them.
        self.sent_logs.clear();
    }

    /// Begins a run in a world that is used again: declares where its evidence goes, and records
    /// the same first facts as in a new world.
    ///
    /// # Errors
    /// If a part of the world does not answer any more.
    pub(crate) async fn begin(&mut self, evidence: &Path) -> Result<(), WorldError> {
        let directory = self.foundation.slot.directory();
        // The lengths before the intent: if the harness is killed, the watcher copies what the logs
        // have beyond these.
        self.reuse.logs = logs::lengths(directory).map_err(failed("a list of logs"))?;
        let run = Intent::Run { evidence: evidence.to_owned(), logs: self.reuse.logs.clone() };
        intent::declare(directory, &run).map_err(failed("the list of intents"))?;
        self.recorder().append(self.facts.clone());
        self.user.begin();
        self.kubernetes.iter().for_each(StandIn::begin);
        // The view of the new history is empty until API and engine are listed.
        self.list_all().await.map_err(DaemonError::from)?;
        Ok(self.truth.refresh().await?)
    }

    /// Lists every object of the daemon's API, and records the lists.
    pub(super) async fn list_all(&self) -> Result<(), ApiError> {
        for resource in Resource::ALL {
            self.api.list(resource, self.recorder()).await?;
        }
        Ok(())
    }

    /// Ends the history of a run, and returns it. Records from here on go to the world's idle
    /// journal.
    pub(crate) fn end_history(&self, clock: Clock) -> io::Result<Whole> {
        let journal = File::create(idle_journal(self.directory()))?;
        let text = "no run goes on in this world".to_owned();
        Ok(self.recorder().begin_history(journal, clock, What::Note { text }))
    }

    /// Copies what the present run has added to the world's logs to its evidence.
    pub(crate) fn keep_logs(&self, evidence: &Path) -> io::Result<()> {
        logs::keep(self.directory(), evidence, &self.reuse.logs)
    }

    /// Declares that no run goes on in this world, so that a sweep does not write to the evidence
    /// of the last run.
    pub(crate) fn declare_idle(&self) -> io::Result<()> {
        intent::declare(self.directory(), &Intent::Idle)
    }

    /// Records what the docker command's configuration and the user's kubeconfig show by now.
    pub(crate) fn record_user_files(&self) {
        self.user.record_changes();
        self.kubernetes.iter().for_each(StandIn::record_changes);
    }

    /// The recorder of the world's history.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.foundation.recorder
    }

    /// The directory of the world.
    fn directory(&self) -> &Path {
        self.foundation.slot.directory()
    }

    /// Every process of the world, with its command line.
    pub(super) fn processes(&self) -> Vec<(Identity, String)> {
        marked(MARKER, self.foundation.slot.marker())
    }

    /// The wires of the world.
    pub(super) fn wires(&self) -> impl Iterator<Item = &Wire> {
        let kubernetes = self.kubernetes.as_ref().and_then(StandIn::wire);
        std::iter::once(&self.wire).chain(&self.client_wire).chain(kubernetes)
    }

    /// The daemon's VMs, and the tasks of their bystanders.
    ///
    /// # Errors
    /// In VM mode `api`, where the daemon runs no VM.
    pub(crate) fn vms(&mut self) -> Result<(&mut Vms, &mut JoinSet<()>), DaemonError> {
        let why = "the step is about a VM that the daemon runs".to_owned();
        let vms = self.vms.as_mut().ok_or(DaemonError::VmMode { mode: self.vm, why })?;
        Ok((vms, &mut self.tasks.keepers))
    }

    /// Records the processes and files of the daemon's VMs as they are now.
    pub(crate) fn record_vms(&self) {
        self.vms.iter().for_each(Vms::record_state);
    }

    /// Lets the wire remove its socket, which is pinned in VM mode `guest`.
    pub(crate) fn loosen_socket(&mut self) -> Result<(), WorldError> {
        self.pinned
            .as_mut()
            .map_or(Ok(()), Pinned::loosen)
            .map_err(failed("the pinned docker.sock"))
    }

    /// Pins the socket that the wire has bound again.
    pub(crate) fn pin_socket(&mut self) -> Result<(), WorldError> {
        self.pinned.as_mut().map_or(Ok(()), Pinned::fix).map_err(failed("the daemon's docker.sock"))
    }

    /// The harness's admission. The first call installs it in the daemon's API.
    pub(crate) async fn admission(&mut self) -> Result<&Admission, AdmissionError> {
        if self.admission.is_none() {
            let recorder = &self.foundation.recorder;
            let admission = Admission::start(&mut self.tasks.observers, recorder)?;
            let admission = admission.with_vms(self.vms.is_some());
            admission.install(&self.api).await?;
            self.admission = Some(admission);
        }
        Ok(self.admission.as_ref().expect("it was installed above"))
    }

    /// The harness's admission, if it is installed.
    pub(crate) fn installed_admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    /// The wire between clients and the daemon's API. The first call starts it.
    pub(crate) async fn client_wire(&mut self) -> Result<&Wire, ClientWireError> {
        if self.client_wire.is_none() {
            let kubeconfig = self.daemon.kubeconfig()?;
            let past_wire = past_wire(self.directory());
            let recorder = &self.foundation.recorder;
            let wire = insert_client_wire(kubeconfig, &past_wire, recorder).await?;
            self.client_wire = Some(wire);
        }
        Ok(self.client_wire.as_ref().expect("it was started above"))
    }

    /// Follows a guest that the daemon's Lima has ended or booted again since the last call. Does
    /// nothing in other VM modes.
    pub(crate) async fn follow_engine(&mut self) -> Result<(), EngineError> {
        let was_reachable = self.engine.is_reachable();
        let recorder = self.foundation.recorder.clone();
        self.engine.follow(&mut self.tasks.keepers, &recorder).await?;
        if !was_reachable && self.engine.is_reachable() {
            self.truth.refresh().await?;
        }
        Ok(())
    }

    /// Asks the engine for everything that it holds, unless the daemon has ended its machine.
    pub(crate) async fn refresh_truth(&self) -> Result<(), TruthError> {
        if self.engine.is_reachable() { self.truth.refresh().await } else { Ok(()) }
    }

    /// The home directory of the daemon.
    pub(crate) fn home(&self) -> &Path {
        self.foundation.environment.home()
    }

    /// Ends the clients of the daemon's present run. To be called when the daemon ends: its next
    /// run writes another kubeconfig, and connects to the engine again.
    pub(crate) fn forget_clients(&mut self) {
        self.tasks.clients.abort_all();
        self.client_wire = None;
        // The file exists only if there was a client wire.
        let _ = std::fs::remove_file(past_wire(self.directory()));
        self.wire.reset_phase();
    }

    /// Starts the daemon again, and observes its new API.
    pub(crate) async fn start_daemon_again(&mut self) -> Result<(), DaemonError> {
        self.api = self.daemon.start_again(self.vm, &mut self.tasks).await?;
        Ok(())
    }

    /// Captures the world for the bundle of its present run. The last part of a capture, the
    /// daemon's stacks, ends the daemon; after that, the world can only be closed.
    pub(crate) async fn capture(&mut self, cause: Cause) {
        let daemon = &mut self.daemon;
        self.foundation.capture(cause, || daemon.expect_stack_dump()).await;
    }

    /// Ends everything that the world has started, in reverse order, and removes its files. Records
    /// what was left after all parts were told to end as leaks; most of that is removed, too.
    ///
    /// # Panics
    /// With the panic of any task of the world.
    pub(crate) async fn close(mut self) {
        let mut leaks = Vec::new();
        self.vms.iter_mut().for_each(Vms::thaw_all);
        // The daemon first, while engine and wire still work, so that it can shut down in order.
        let left = self.daemon.stop().await;
        leaks.extend(left.map(|text| (Owner::Daemon, text)));
        if let Some(vms) = self.vms.take() {
            leaks.extend(vms.close().await.map(|text| (Owner::World, text)));
        }
        // The last look at the user's files: a daemon that stops must leave them in order.
        self.record_user_files();
        self.tasks.clients.abort_all();
        self.tasks.observers.abort_all();
        let mut leak = |text: String| leaks.push((Owner::World, text));
        if let Some(wire) = self.client_wire
            && let Err(error) = wire.close().await
        {
            leak(format!("wire before the API: {}", chain(&error)));
        }
        // The user's engine endpoint has a wire of its own, which must be closed before the engine.
        self.user.close().await.into_iter().for_each(&mut leak);
        if let Some(mut kubernetes) = self.kubernetes.take()
            && let Err(error) = kubernetes.close_wire().await
        {
            leak(format!("wire before the guest's Kubernetes: {}", chain(&error)));
        }
        if let Some(mut pinned) = self.pinned
            && let Err(error) = pinned.loosen()
        {
            leak(format!("the pinned socket: {error}"));
        }
        if let Err(error) = self.wire.close().await {
            leak(format!("wire: {}", chain(&error)));
        }
        if let Err(error) = self.engine.close().await {
            leak(format!("engine: {}", chain(&error)));
        }
        // A daemon that was asked for its stacks was killed by that, so its leftovers are no leaks;
        // the sweep removes them.
        if !self.daemon.dumps_stacks() {
            self.foundation.leftovers().await.into_iter().for_each(&mut leak);
        }
        if !leaks.is_empty() {
            let texts: Vec<_> = leaks.iter().map(|(_, text)| text.as_str()).collect();
            self.foundation.capture(Cause::new(Trigger::Leak, texts.join("; ")), || {}).await;
        }
        self.foundation.destroy(leaks, self.tasks).await;
    }
}
