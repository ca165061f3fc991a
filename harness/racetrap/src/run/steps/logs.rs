//! Clients of the daemon's log passthrough: they come, go, and are compared with the engine.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use racetrap_history::{
    Blame, ClientName, Door, Footprint, LeaveLog, LogCrowd, LogRequest, LogSent, LogStep, LogTruth,
    OpenLog, SentStream, View, What,
};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

use super::settle::STILL;
use crate::passthrough::{
    Client, ClientOptions, PassthroughRequest, Route, RouteError, compare_with_engine,
    compare_with_wire, run_crowd,
};
use crate::run::scene::Scene;
use crate::run::step_error::StepError;
use crate::wait::polled;

/// The clients of a scenario, by name. Dropped, they end their connections without a word.
#[derive(Default)]
pub(in crate::run) struct LogClients {
    open: BTreeMap<ClientName, LogClientEntry>,
    /// Clients in the background that may not have their answer yet.
    opening: BTreeMap<ClientName, JoinSet<LogClientEntry>>,
}

/// A client, and which part of a log it has asked for.
struct LogClientEntry {
    client: Client,
    tail: Option<String>,
    reads: bool,
}

impl LogClients {
    /// Does one step.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &Scene,
        step: &LogStep,
    ) -> Result<(), StepError> {
        if let LogStep::Leave(LeaveLog { client, .. })
        | LogStep::Read(client)
        | LogStep::Compare(client) = step
        {
            self.arrive(client).await;
        }
        match step {
            LogStep::Open(open) => self.open(scene, open).await,
            LogStep::Leave(LeaveLog { client, how }) => {
                self.client(client).client.leave(*how);
                Ok(())
            }
            LogStep::Read(name) => {
                let opened = self.open.get_mut(name);
                let opened = opened.expect("the schedule was checked: opened before");
                opened.reads = true;
                opened.client.read();
                Ok(())
            }
            LogStep::Crowd(crowd) => log_crowd(scene, crowd).await,
            LogStep::Compare(name) => self.record_sent(scene, name),
            LogStep::ReadDiscovery => {
                let passthroughs = scene.world.api.passthroughs().await?;
                scene.recorder().append(What::Announced { passthroughs });
                Ok(())
            }
        }
    }

    fn client(&self, name: &ClientName) -> &LogClientEntry {
        self.open.get(name).expect("the schedule was checked: opened before")
    }

    /// Waits until a client has its answer.
    async fn arrive(&mut self, name: &ClientName) {
        if let Some(mut opening) = self.opening.remove(name) {
            let opened = opening.join_next().await.expect("one task was spawned");
            self.put(name.clone(), opened);
        }
    }

    /// Takes the clients in the background that have their answer.
    pub(super) fn arrive_answered(&mut self) {
        let names: Vec<_> = self.opening.keys().cloned().collect();
        for name in names {
            let opening = self.opening.get_mut(&name);
            if let Some(opened) = opening.and_then(JoinSet::try_join_next) {
                self.opening.remove(&name);
                self.put(name, opened);
            }
        }
    }

    /// A panic of a client's task goes on here.
    fn put(&mut self, name: ClientName, opened: Result<LogClientEntry, JoinError>) {
        let opened = opened.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        self.open.insert(name, opened);
    }

    async fn open(&mut self, scene: &Scene, open: &OpenLog) -> Result<(), StepError> {
        measure_before(scene)?;
        let mut request = passthrough_request(scene, &open.log).await?;
        if !open.token {
            request = request.without_token();
        }
        if !open.upgrade {
            request = request.without_upgrade();
        }
        if !open.reads {
            request = request.with_small_buffer();
        }
        for (name, value) in &open.headers {
            let with_header = request.with_header(name, value);
            request = with_header.map_err(|error| StepError::by(Blame::Schedule, &error))?;
        }
        let container = open.log.of.as_ref().map(|of| scene.world.workload.id(of)).transpose()?;
        let container = container.map(str::to_owned);
        let (promised, reads) = (open.status.clone(), open.reads);
        let options = ClientOptions { request, container, promised, reads };
        let name = open.client.0.clone();
        let (deadline, recorder) = (scene.deadline, scene.recorder().clone());
        let tail = open.log.query.get("tail").cloned();
        let opening = async move {
            let client = Client::open(name, options, deadline, &recorder).await;
            LogClientEntry { client, tail, reads }
        };
        if !open.background {
            self.open.insert(open.client.clone(), opening.await);
            return Ok(());
        }
        let mut task = JoinSet::new();
        task.spawn(opening);
        self.opening.insert(open.client.clone(), task);
        // From its first record on, a level of the client can be awaited.
        let name = &open.client.0;
        let asked = |view: &View| view.log_clients().contains_key(name);
        scene.until(format!("the client `{name}` to ask"), asked).await
    }

    /// The log that a client has asked for, as the engine has it now.
    async fn truth_for(
        &self,
        scene: &Scene,
        name: &ClientName,
    ) -> Result<Option<LogTruth>, StepError> {
        let LogClientEntry { client, tail, .. } = self.client(name);
        let docker = scene.world.truth.docker();
        Ok(compare_with_engine(docker, &name.0, client, tail.as_deref()).await?)
    }

    /// What a client has received, beside what the engine has sent for it. `None` if it has not asked
    /// for a container's log.
    fn sent_for(&self, scene: &Scene, name: &ClientName) -> Result<Option<LogSent>, StepError> {
        let client = &self.client(name).client;
        if client.container().is_none() {
            return Ok(None);
        }
        let exchanges = scene.recorder().with_view(|view| view.log_exchanges(&name.0));
        let sent = compare_with_wire(&scene.world.sent_logs, &name.0, client, exchanges);
        sent.map(Some).map_err(|error| StepError::by(Blame::World, &error))
    }

    fn record_sent(&self, scene: &Scene, name: &ClientName) -> Result<(), StepError> {
        if let Some(sent) = self.sent_for(scene, name)? {
            scene.recorder().append(What::LogSent(sent));
        }
        Ok(())
    }

    /// Waits until every client that reads has all bytes that the engine has sent for it and was told if
    /// the engine has ended its log, and the daemon has released the streams and descriptors of clients
    /// that have gone; or until nothing has happened for a while. Then records the state.
    pub(super) async fn become_level(
        &self,
        scene: &Scene,
        deadline: Instant,
    ) -> Result<(), StepError> {
        if scene.recorder().with_view(|view| view.footprint_before().is_none()) {
            return Ok(());
        }
        let mut changes = scene.recorder().changes();
        loop {
            changes.borrow_and_update();
            let there = self.readers(scene);
            let mut whole = scene.recorder().with_view(|view| view.log_streams() <= clients(view));
            for name in &there {
                let Some(sent) = self.sent_for(scene, name)? else { continue };
                whole &= scene.recorder().with_view(|view| is_complete(view, &sent));
                // The engine may be about to send more. What it has decides how long is waited, and
                // nothing else: it may have what it will never send to this client.
                let truth = self.truth_for(scene, name).await?;
                whole &= truth.is_none_or(|truth| truth.bytes <= sent.received);
            }
            let limit = STILL.min(deadline.saturating_duration_since(Instant::now()));
            if whole || timeout(limit, changes.changed()).await.is_err() {
                break;
            }
        }
        release_descriptors(scene).await;
        self.record(scene).await
    }

    /// Records what each client has received and the engine has sent for it, and what the daemon holds.
    /// For a client that reads nothing, the engine is asked once how long the log is: that is what the
    /// daemon must not keep.
    pub(super) async fn record(&self, scene: &Scene) -> Result<(), StepError> {
        if scene.recorder().with_view(|view| view.footprint_before().is_none()) {
            return Ok(());
        }
        for (name, opened) in &self.open {
            if !was_let_in(scene, name) {
                continue;
            }
            if opened.reads {
                self.record_sent(scene, name)?;
            } else if scene.recorder().find(|what| tells_of(what, name)).is_none()
                && let Some(truth) = self.truth_for(scene, name).await?
            {
                scene.recorder().append(What::LogTruth(truth));
            }
        }
        scene.recorder().append(What::Footprint(footprint(scene)));
        Ok(())
    }

    fn readers(&self, scene: &Scene) -> Vec<ClientName> {
        let reads = |name: &&ClientName| {
            scene.recorder().with_view(|view| {
                view.log_clients().get(&name.0).is_some_and(|it| it.is_there() && it.reads)
            })
        };
        self.open.keys().filter(reads).cloned().collect()
    }
}

async fn log_crowd(scene: &Scene, wanted: &LogCrowd) -> Result<(), StepError> {
    measure_before(scene)?;
    let request = passthrough_request(scene, &wanted.log).await?;
    let LogCrowd { clients, at_once, status, .. } = wanted;
    let at_once = usize::try_from(*at_once).unwrap_or(usize::MAX);
    let seen = run_crowd(&request, status, *clients, at_once, scene.deadline).await;
    scene.recorder().append(What::LogCrowd(seen));
    Ok(())
}

/// The request of a client, as the scenario describes it.
async fn passthrough_request(
    scene: &Scene,
    log: &LogRequest,
) -> Result<PassthroughRequest, StepError> {
    let mut path = if let Some(of) = &log.of {
        format!("engine/logs/{}", scene.world.workload.id(of)?)
    } else {
        let path = log.path.as_ref().expect("the schedule was checked: it asks for something");
        let parts = path.split('/').map(|part| scene.resolved(part));
        parts.collect::<Result<Vec<_>, _>>()?.join("/")
    };
    for (number, (name, value)) in log.query.iter().enumerate() {
        path.push_str(if number == 0 { "?" } else { "&" });
        path.push_str(&format!("{name}={value}"));
    }
    let route = match log.door {
        Door::Api => Route::through_api(scene.world.daemon.kubeconfig()?)?,
        Door::Inner => {
            let controller = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
            let endpoint = scene.world.api.passthrough_endpoint(controller).await?;
            let route = endpoint.as_deref().and_then(Route::to_manager);
            route.ok_or_else(|| RouteError::NotAnnounced(controller.to_owned()))?
        }
    };
    Ok(PassthroughRequest::new(route, &path))
}

fn was_let_in(scene: &Scene, name: &ClientName) -> bool {
    scene.recorder().with_view(|view| {
        view.log_clients().get(&name.0).is_some_and(|client| client.status == Some(101))
    })
}

/// Waits until the daemon has closed the descriptors of clients that have gone. It does so a moment after
/// it has ended their streams, and no record shows it.
async fn release_descriptors(scene: &Scene) {
    let allowed = scene.recorder().with_view(|view| {
        view.footprint_before().map(|before| before.descriptors_with(clients(view)))
    });
    let released = polled("the daemon's descriptors to be released", STILL, async || {
        let open = footprint(scene).descriptors;
        if allowed.is_none_or(|allowed| open <= allowed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(format!("{open} are open"))
        }
    });
    // Descriptors that are still open are judged by the footprint that is recorded next.
    let _ = released.await;
}

/// Records what the daemon holds before its first client comes, and resets its peak of memory.
fn measure_before(scene: &Scene) -> Result<(), StepError> {
    if scene.recorder().with_view(|view| view.footprint_before().is_some()) {
        return Ok(());
    }
    let failed = |error| StepError::by(Blame::World, &error);
    for process in scene.world.daemon.processes() {
        process.forget_peak().map_err(failed)?;
    }
    scene.recorder().append(What::Footprint(footprint(scene)));
    Ok(())
}

fn footprint(scene: &Scene) -> Footprint {
    let mut sum = Footprint { descriptors: 0, resident_kib: 0, peak_kib: 0 };
    for process in scene.world.daemon.processes() {
        // A process that has ended holds nothing.
        let Some((descriptors, memory)) = process.descriptors().zip(process.memory()) else {
            continue;
        };
        sum.descriptors += descriptors as u64;
        sum.resident_kib += memory.resident_kib;
        sum.peak_kib += memory.peak_kib;
    }
    sum
}

/// Whether a record says what the engine has for this client.
fn tells_of(what: &What, name: &ClientName) -> Option<()> {
    matches!(what, What::LogTruth(truth) if truth.client == name.0).then_some(())
}

/// Whether a client that is still there has all that the engine has sent for it, and the engine has not
/// ended its log.
fn is_complete(view: &View, sent: &LogSent) -> bool {
    let goes_on =
        |exchange| view.log_exchange(exchange).is_some_and(|exchange| !exchange.is_finished);
    let has_all = |stream: &SentStream| stream.bytes == sent.received && goes_on(stream.exchange);
    sent.streams.iter().any(has_all)
}

/// How many clients should have a WebSocket now.
fn clients(view: &View) -> usize {
    view.log_clients().values().filter(|client| client.is_there()).count()
}
