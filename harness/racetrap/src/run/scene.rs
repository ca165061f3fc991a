//! The world of a run, as steps use it.

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{Blame, DAEMON_PARTS, Match, Phase, Side, View, WriteMatch};
use racetrap_wire::{Matcher, Wire};
use tokio::time::Instant;

use super::proof::nothing_is_due;
use super::step_error::StepError;
use crate::kubernetes::StandIn;
use crate::recorder::Recorder;
use crate::wait::{NotReached, until};
use crate::world::World;

/// A world, and how long each step may take in it.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) deadline: Duration,
    /// A fault lets bytes pass slowly, which no record shows.
    pub(super) is_slowed: bool,
}

impl Scene {
    pub(super) fn recorder(&self) -> &Recorder {
        self.world.recorder()
    }

    /// Waits for what the daemon must reach by itself, for as long as its world stands.
    pub(super) async fn until(
        &self,
        what: String,
        mut reached: impl FnMut(&View) -> bool,
    ) -> Result<(), StepError> {
        let waited = until(what, self.deadline, self.recorder(), |view| {
            if let Some(end) = world_end(view) {
                return ControlFlow::Break(Err(StepError { blame: Blame::World, why: end }));
            }
            if reached(view) {
                return ControlFlow::Break(Ok(()));
            }
            ControlFlow::Continue(describe(view))
        });
        match waited.await {
            Ok(ended) => ended,
            Err(error) => Err(StepError::by(Blame::Daemon, &error)),
        }
    }

    /// Waits like [`until`](Self::until), but ends before the deadline once it is proved that the daemon
    /// has nothing left to do, if what is waited for depends on the daemon alone by then.
    pub(super) async fn until_proof(
        &self,
        what: String,
        reached: impl FnMut(&View) -> bool,
        depends_on_daemon: impl Fn(&View) -> bool,
    ) -> Result<(), StepError> {
        let began = Instant::now();
        let proof = async {
            nothing_is_due(self).await;
            if !self.recorder().with_view(&depends_on_daemon) {
                std::future::pending().await
            }
        };
        tokio::select! {
            // A level that is reached counts, even if the proof comes at the same time. Both are safe to
            // cancel: they only look.
            biased;
            ended = self.until(what.clone(), reached) => ended,
            () = proof => {
                let what = format!("{what}, until the daemon had nothing left to do");
                let last_seen = self.recorder().with_view(describe);
                let error = NotReached::new(what, began.elapsed(), last_seen);
                Err(StepError::by(Blame::Daemon, &error))
            }
        }
    }

    /// A failure of the daemon, unless its world has failed before.
    pub(super) fn failure_of_daemon(&self, why: String) -> StepError {
        match self.recorder().with_view(world_end) {
            Some(end) => StepError { blame: Blame::World, why: format!("{end}; {why}") },
            None => StepError { blame: Blame::Daemon, why },
        }
    }

    /// The wire between two sides.
    pub(super) async fn wire(&mut self, side: Side) -> Result<&Wire, StepError> {
        match side {
            Side::Engine => Ok(&self.world.wire),
            Side::Api => Ok(self.world.client_wire().await?),
            Side::Kubernetes => {
                let wire = self.world.kubernetes.as_ref().and_then(StandIn::wire);
                Ok(wire.expect("the schedule was checked: the guest's Kubernetes is there"))
            }
            Side::User => {
                let wire = self.world.user.wire();
                Ok(wire.expect("the schedule was checked: the user's engine is somewhere"))
            }
        }
    }

    /// The wire's form of a match, with `$NAME` replaced by the engine's ID.
    pub(super) fn matcher(&self, on: &Match) -> Result<Matcher, StepError> {
        let mut matcher = Matcher::default();
        matcher.method.clone_from(&on.method);
        matcher.route.clone_from(&on.route);
        matcher.query.clone_from(&on.query);
        matcher.body.clone_from(&on.body);
        matcher.frame.clone_from(&on.frame);
        matcher.nth = on.nth;
        matcher.phase = on.phase.map(|phase| match phase {
            Phase::Bootstrap => racetrap_wire::Phase::Bootstrap,
            Phase::Steady => racetrap_wire::Phase::Steady,
            Phase::Reconnect => racetrap_wire::Phase::Reconnect,
        });
        for (name, value) in &on.params {
            matcher.params.insert(name.clone(), self.resolved(value)?);
        }
        Ok(matcher)
    }

    /// A match of writes, with `$NAME` replaced by the engine's ID.
    pub(super) fn write_match(&self, on: &WriteMatch) -> Result<WriteMatch, StepError> {
        let name = on.name.as_ref().map(|name| self.resolved(name)).transpose()?;
        Ok(WriteMatch { name, ..on.clone() })
    }

    /// The text, or the engine's ID of what it names by `$NAME`.
    pub(super) fn resolved(&self, text: &str) -> Result<String, StepError> {
        Ok(match text.strip_prefix('$') {
            Some(alias) => self.world.workload.id(alias)?.to_owned(),
            None => text.to_owned(),
        })
    }
}

/// The end of a process of the world that is not the daemon.
fn world_end(view: &View) -> Option<String> {
    let mut ended = view.ended().iter().filter(|(name, _)| !DAEMON_PARTS.contains(&name.as_str()));
    ended.next().map(|(name, exit)| format!("the {name} ended by itself: {exit}"))
}

/// What a view is like, in a line, for the error of a wait.
fn describe(view: &View) -> String {
    let app = view.app();
    let conditions = app.map_or_else(
        || "no App".to_owned(),
        |app| format!("{}; {}", app.describe("ContainerEngineReady"), app.describe("Settled")),
    );
    let differences = view.differences();
    let mirrors =
        if differences.is_empty() { "converged".to_owned() } else { differences.join("; ") };
    let ended: Vec<_> =
        view.ended().iter().map(|(name, exit)| format!("{name} ended: {exit}")).collect();
    [conditions, mirrors, ended.join("; ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
