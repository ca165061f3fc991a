//! Clients of the daemon's log passthrough: they come, go, and are compared with the engine.

use std::ops::ControlFlow;

use racetrap_history::{
    Blame, ClientName, Door, Footprint, LeaveLog, LogCrowd, LogRequest, LogTruth, OpenLog, Step,
    View, What,
};
use tokio::time::{Instant, timeout};

use super::runner::{Runner, StepError};
use super::settle::STILL;
use crate::passthrough::{
    Client, ClientOptions, PassthroughRequest, Route, RouteError, compare_with_engine, run_crowd,
};
use crate::wait::polled;

/// A client, and what of a log it has asked for.
pub(super) struct Opened {
    client: Client,
    tail: Option<String>,
    reads: bool,
}

impl Runner {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    pub(super) async fn logs(&mut self, step: &Step) -> Result<(), StepError> {
        match step {
            Step::OpenLog(open) => self.open_log(open).await,
            Step::LeaveLog(LeaveLog { client, how }) => {
                self.client(client).client.leave(*how);
                Ok(())
            }
            Step::ReadLog(name) => {
                let opened = self.clients.get_mut(name);
                let opened = opened.expect("the schedule was checked: opened before");
                opened.reads = true;
                opened.client.read();
                Ok(())
            }
            Step::LogCrowd(crowd) => self.log_crowd(crowd).await,
            Step::CompareLog(name) => {
                if let Some(truth) = self.truth_for(name).await? {
                    self.recorder().append(What::LogTruth(truth));
                }
                Ok(())
            }
            Step::ReadDiscovery => {
                let passthroughs = self.world.api.passthroughs().await?;
                self.recorder().append(What::Announced { passthroughs });
                Ok(())
            }
            other => unreachable!("{other:?} is not about logs"),
        }
    }

    fn client(&self, name: &ClientName) -> &Opened {
        self.clients.get(name).expect("the schedule was checked: opened before")
    }

    async fn open_log(&mut self, open: &OpenLog) -> Result<(), StepError> {
        self.measure_before()?;
        let mut request = self.passthrough_request(&open.log).await?;
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
        let container = open.log.of.as_ref().map(|of| self.world.workload.id(of)).transpose()?;
        let container = container.map(str::to_owned);
        let (promised, reads) = (open.status.clone(), open.reads);
        let options = ClientOptions { request, container, promised, reads };
        let name = open.client.0.clone();
        let client = Client::open(name, options, self.deadline, self.recorder()).await;
        let tail = open.log.query.get("tail").cloned();
        self.clients.insert(open.client.clone(), Opened { client, tail, reads: open.reads });
        Ok(())
    }

    async fn log_crowd(&mut self, wanted: &LogCrowd) -> Result<(), StepError> {
        self.measure_before()?;
        let request = self.passthrough_request(&wanted.log).await?;
        let LogCrowd { clients, at_once, status, .. } = wanted;
        let at_once = usize::try_from(*at_once).unwrap_or(usize::MAX);
        let seen = run_crowd(&request, status, *clients, at_once, self.deadline).await;
        self.recorder().append(What::LogCrowd(seen));
        Ok(())
    }

    async fn passthrough_request(&self, log: &LogRequest) -> Result<PassthroughRequest, StepError> {
        let mut path = match (&log.of, &log.path) {
            (Some(of), _) => format!("engine/logs/{}", self.world.workload.id(of)?),
            (None, Some(path)) => {
                let parts = path.split('/').map(|part| self.resolved(part));
                parts.collect::<Result<Vec<_>, _>>()?.join("/")
            }
            (None, None) => unreachable!("the schedule was checked: it asks for something"),
        };
        for (number, (name, value)) in log.query.iter().enumerate() {
            path.push_str(if number == 0 { "?" } else { "&" });
            path.push_str(&format!("{name}={value}"));
        }
        let route = match log.door {
            Door::Api => Route::through_api(self.world.daemon.kubeconfig()?)?,
            Door::Inner => {
                let controller = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
                let endpoint = self.world.api.passthrough_endpoint(controller).await?;
                let route = endpoint.as_deref().and_then(Route::to_manager);
                route.ok_or_else(|| RouteError::NotAnnounced(controller.to_owned()))?
            }
        };
        Ok(PassthroughRequest::new(route, &path))
    }

    async fn truth_for(&self, name: &ClientName) -> Result<Option<LogTruth>, StepError> {
        let Opened { client, tail, .. } = self.client(name);
        let docker = self.world.truth.docker();
        Ok(compare_with_engine(docker, &name.0, client, tail.as_deref()).await?)
    }

    /// Waits until every client that reads has what the engine has, and nobody costs more than he may;
    /// or until nothing has happened for a while. Then what is there is recorded.
    pub(super) async fn level_logs(&self, deadline: Instant) -> Result<(), StepError> {
        if self.recorder().with_view(|view| view.footprint_before().is_none()) {
            return Ok(());
        }
        let mut changes = self.recorder().changes();
        loop {
            changes.borrow_and_update();
            let there = self.readers();
            let mut whole = self.recorder().with_view(|view| view.log_streams() <= clients(view));
            for name in &there {
                let truth = self.truth_for(name).await?;
                whole &= truth.is_none_or(|truth| truth.received == truth.bytes);
            }
            let limit = STILL.min(deadline.saturating_duration_since(Instant::now()));
            if whole || timeout(limit, changes.changed()).await.is_err() {
                break;
            }
        }
        self.release_descriptors().await;
        self.record_logs().await
    }

    /// Records what clients and engine have of each log, and what the daemon holds. For a client that
    /// reads nothing the engine is asked once: there is nothing to compare, and it may have much.
    pub(super) async fn record_logs(&self) -> Result<(), StepError> {
        if self.recorder().with_view(|view| view.footprint_before().is_none()) {
            return Ok(());
        }
        for (name, opened) in &self.clients {
            if !self.was_let_in(name) {
                continue;
            }
            if !opened.reads && self.recorder().find(|what| tells_of(what, name)).is_some() {
                continue;
            }
            if let Some(truth) = self.truth_for(name).await? {
                self.recorder().append(What::LogTruth(truth));
            }
        }
        self.recorder().append(What::Footprint(self.footprint()));
        Ok(())
    }

    fn was_let_in(&self, name: &ClientName) -> bool {
        self.recorder().with_view(|view| {
            view.log_clients().get(&name.0).is_some_and(|client| client.status == Some(101))
        })
    }

    fn readers(&self) -> Vec<ClientName> {
        let reads = |name: &&ClientName| {
            self.recorder().with_view(|view| {
                view.log_clients().get(&name.0).is_some_and(|it| it.is_there() && it.reads)
            })
        };
        self.clients.keys().filter(reads).cloned().collect()
    }

    /// Descriptors go a moment after what they were for, and nothing tells of it.
    async fn release_descriptors(&self) {
        let allowed = self.recorder().with_view(|view| {
            view.footprint_before().map(|before| before.descriptors_with(clients(view)))
        });
        let released = polled("the daemon's descriptors to be released", STILL, async || {
            let open = self.footprint().descriptors;
            if allowed.is_none_or(|allowed| open <= allowed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(format!("{open} are open"))
            }
        });
        // What is not released is judged by what is recorded.
        let _ = released.await;
    }

    /// Before the first client comes, the daemon is measured, and its peak forgotten.
    fn measure_before(&self) -> Result<(), StepError> {
        if self.recorder().with_view(|view| view.footprint_before().is_some()) {
            return Ok(());
        }
        let failed = |error| StepError::by(Blame::World, &error);
        for process in self.world.daemon.processes() {
            process.forget_peak().map_err(failed)?;
        }
        self.recorder().append(What::Footprint(self.footprint()));
        Ok(())
    }

    fn footprint(&self) -> Footprint {
        let mut sum = Footprint { descriptors: 0, resident_kib: 0, peak_kib: 0 };
        for process in self.world.daemon.processes() {
            // One that has ended holds nothing.
            let Some((descriptors, memory)) = process.descriptors().zip(process.memory()) else {
                continue;
            };
            sum.descriptors += descriptors as u64;
            sum.resident_kib += memory.resident_kib;
            sum.peak_kib += memory.peak_kib;
        }
        sum
    }
}

/// The record says what the engine has for this client.
fn tells_of(what: &What, name: &ClientName) -> Option<()> {
    matches!(what, What::LogTruth(truth) if truth.client == name.0).then_some(())
}

/// How many clients have a WebSocket, and should still have it.
fn clients(view: &View) -> usize {
    view.log_clients().values().filter(|client| client.is_there()).count()
}
