//! Faults on the wires and at the daemon's admission, and the proof that each one happened.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{Blame, Fault, FaultKind, FaultName, FaultStep, Side, Streams, View};
use racetrap_wire::{HalfOpenAfter, Part, Pieces, Recording, Refusal, Rewrite, RuleGuard};

use super::command::Commands;
use crate::daemon::DenyGuard;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;
use crate::wait::{polled, until};

/// The faults of a scenario. Dropped, each of them ends.
#[derive(Default)]
pub(in crate::run) struct Faults {
    armed: Vec<Armed>,
    recordings: BTreeMap<FaultName, Recording>,
    /// Refuses new connections for as long as it lives.
    refusing: Option<Refusal>,
}

/// A fault that is armed, and by what name the history tells of it.
struct Armed {
    rule: String,
    name: Option<FaultName>,
    guard: Option<Guard>,
    /// It changes what the daemon reads when it asks, and the daemon may not have asked yet.
    may_be_late: bool,
}

enum Guard {
    Wire(#[expect(dead_code, reason = "its end disarms the rule")] RuleGuard),
    Write(DenyGuard),
}

impl Faults {
    /// Does one step. Whether a cut of the clients' watches was noticed shows in what becomes of
    /// `commands`.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &mut Scene,
        step: &FaultStep,
        commands: &Commands,
    ) -> Result<(), StepError> {
        // Oracles find the step of a rule by this name.
        let rule = step.rule_name(self.armed.len() + 1).unwrap_or_default();
        match step {
            FaultStep::Answer { name, status, body, wire, on, times } => {
                let matcher = scene.matcher(on)?;
                let wire = scene.wire(*wire).await?;
                let guard = match body {
                    Some(body) => wire.answer_with_body(&rule, matcher, (*status, body), *times),
                    None => wire.answer(&rule, matcher, *status, *times),
                };
                self.arm(rule, name.clone(), Guard::Wire(guard));
            }
            FaultStep::DenyWrite { on, times } => {
                let on = scene.write_match(on)?;
                let guard = scene.world.admission().await?.deny(&rule, on, *times);
                self.arm(rule, None, Guard::Write(guard));
            }
            FaultStep::Fault(fault) => {
                let guard = self.arm_on_wire(scene, &rule, fault).await?;
                scene.is_slowed |= matches!(fault.kind, FaultKind::Slow { .. });
                self.arm(rule, fault.name.clone(), Guard::Wire(guard));
                let armed = self.armed.last_mut().expect("one was armed just now");
                armed.may_be_late = is_about_reading(fault);
            }
            FaultStep::Happened(name) => self.happened(scene, name).await?,
            FaultStep::Lift(name) => self.armed_as(name).guard = None,
            FaultStep::Record { name, on } => {
                let recording = scene.world.wire.record(&name.0, scene.matcher(on)?, None);
                self.recordings.insert(name.clone(), recording);
            }
            FaultStep::Cut(streams) => cut(scene, *streams, commands).await?,
            FaultStep::Inject { frame } => inject(scene, frame).await?,
            FaultStep::ReplaceSocket => {
                scene.world.loosen_socket()?;
                scene.world.wire.replace_socket()?;
                scene.world.pin_socket()?;
            }
            FaultStep::Refuse => {
                scene.world.loosen_socket()?;
                self.refusing = Some(scene.world.wire.refuse()?);
            }
            FaultStep::Accept => {
                if let Some(refusing) = self.refusing.take() {
                    refusing.release()?;
                    scene.world.pin_socket()?;
                }
            }
        }
        Ok(())
    }

    fn arm(&mut self, rule: String, name: Option<FaultName>, guard: Guard) {
        self.armed.push(Armed { rule, name, guard: Some(guard), may_be_late: false });
    }

    async fn arm_on_wire(
        &self,
        scene: &mut Scene,
        rule: &str,
        fault: &Fault,
    ) -> Result<RuleGuard, StepError> {
        let matcher = scene.matcher(&fault.on)?;
        let wire = scene.wire(fault.wire).await?.clone();
        let times = fault.times;
        // A match that describes a frame makes it a fault on that frame.
        let of_frame = !fault.on.frame.is_empty();
        Ok(match &fault.kind {
            FaultKind::Lose => wire.lose(rule, matcher, times),
            FaultKind::HalfOpen { bytes } => {
                let after =
                    if of_frame { HalfOpenAfter::Frame } else { HalfOpenAfter::Bytes(*bytes) };
                wire.half_open(rule, matcher, after, times)
            }
            FaultKind::Slow { bytes, every_ms } => {
                let every = Duration::from_millis(every_ms.get().into());
                wire.slow(rule, matcher, Pieces { bytes: *bytes, every }, times)
            }
            FaultKind::Truncate { bytes } => wire.truncate(rule, matcher, *bytes, times),
            FaultKind::Stale { recording } => {
                let recording = self.recordings.get(recording);
                let recording = recording.expect("the schedule was checked: recorded before");
                wire.stale(rule, matcher, recording, times)
            }
            FaultKind::Drop => wire.drop_frame(rule, matcher, times),
            FaultKind::Duplicate => wire.duplicate_frame(rule, matcher, times),
            FaultKind::Reorder { behind } => wire.reorder_frame(rule, matcher, *behind, times),
            FaultKind::Rewrite { set, remove, head } => {
                let set = set.iter().map(|(at, value)| (at.clone(), Some(value.clone())));
                let removed = remove.iter().map(|at| (at.clone(), None));
                let part = if of_frame { Part::Frame } else { Part::Body };
                let values = set.chain(removed).collect();
                let rewrite = Rewrite { part, values, head: head.clone() };
                wire.rewrite(rule, matcher, rewrite, times)
            }
        })
    }

    /// Requires that each fault has happened: a run without its fault would prove nothing. What the
    /// daemon reads when it asks may be rewritten later, if the scenario settles again.
    pub(super) fn require_happened(&self, scene: &Scene) -> Result<(), StepError> {
        let fired = |rule: &str| scene.recorder().with_view(|view| view.has_happened(rule));
        let happened = |armed: &&Armed| match &armed.guard {
            Some(Guard::Write(guard)) => guard.fired(),
            Some(Guard::Wire(_)) | None => fired(&armed.rule),
        };
        let settles_again = scene.recorder().with_view(View::settles_again);
        let is_late = |armed: &&Armed| settles_again && armed.may_be_late;
        match self.armed.iter().find(|armed| !happened(armed) && !is_late(armed)) {
            None => Ok(()),
            Some(Armed { rule, .. }) => Err(StepError {
                blame: Blame::Schedule,
                why: format!("`{rule}` fitted no message, so that the fault did not happen"),
            }),
        }
    }

    fn armed_as(&mut self, name: &FaultName) -> &mut Armed {
        let mut armed = self.armed.iter_mut();
        let named = armed.find(|armed| armed.name.as_ref() == Some(name));
        named.expect("the schedule was checked: armed before")
    }

    /// Waits until a fault has happened.
    async fn happened(&mut self, scene: &Scene, name: &FaultName) -> Result<(), StepError> {
        let rule = self.armed_as(name).rule.clone();
        let waited =
            until(format!("`{rule}` to happen"), scene.deadline, scene.recorder(), |view| {
                if view.has_happened(&rule) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue("it fitted no message yet".to_owned())
            });
        waited.await.map_err(|error| StepError::by(Blame::Schedule, &error))
    }
}

/// Resets connections.
async fn cut(scene: &mut Scene, streams: Streams, commands: &Commands) -> Result<(), StepError> {
    match streams {
        Streams::Events => require_done(scene.world.wire.cut(racetrap_wire::Streams::Events)),
        Streams::All => require_done(scene.world.wire.cut(racetrap_wire::Streams::All)),
        Streams::Watches => cut_watches(scene, commands).await,
        Streams::Kubernetes => {
            let wire = scene.wire(Side::Kubernetes).await?;
            require_done(wire.cut(racetrap_wire::Streams::All))
        }
    }
}

/// Puts a frame into the open event streams.
async fn inject(scene: &Scene, frame: &str) -> Result<(), StepError> {
    let wire = scene.world.wire.clone();
    // A daemon may be about to subscribe anew, because of the frame before.
    let open = |_: &View| wire.status().event_streams > 0;
    scene.until("an open event stream".to_owned(), open).await?;
    require_done(wire.inject("inject", format!("{frame}\n").as_bytes()))
}

/// Waits until a client watches. A command lists what it waits for before it watches, so it may not watch
/// yet.
async fn watched(scene: &mut Scene) -> Result<(), StepError> {
    let limit = scene.deadline;
    let wire = scene.wire(Side::Api).await?;
    let watched = polled("a client's watch", limit, async || match wire.status().event_streams {
        0 => ControlFlow::Continue("there is none".to_owned()),
        _ => ControlFlow::Break(()),
    });
    watched.await.map_err(|error| StepError::by(Blame::Schedule, &error))
}

/// Cuts the clients' watches, and waits until each client has noticed: its command has ended, or it
/// asks for something anew. Otherwise the scenario's next step could be over before a command is wrong
/// about it.
async fn cut_watches(scene: &mut Scene, commands: &Commands) -> Result<(), StepError> {
    watched(scene).await?;
    let before = scene.recorder().with_view(View::client_requests);
    let done = scene.wire(Side::Api).await?.cut(racetrap_wire::Streams::Events);
    require_done(done)?;
    let what = "a client that noticed the end of its watch";
    let noticed = polled(what, scene.deadline, async || {
        let asks_anew = scene.recorder().with_view(View::client_requests) > before;
        if asks_anew || commands.have_ended() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue("nothing was asked, and a command goes on".to_owned())
    });
    noticed.await.map_err(|error| StepError::by(Blame::Schedule, &error))
}

/// Whether a fault only rewrites what the daemon reads when it asks the engine.
fn is_about_reading(fault: &Fault) -> bool {
    let reads = fault.on.method.as_deref().is_none_or(|method| method == "GET");
    let rewrites = matches!(fault.kind, FaultKind::Rewrite { .. });
    rewrites && reads && fault.wire == Side::Engine && fault.on.frame.is_empty()
}

/// Requires that something was done to one connection at least.
fn require_done(connections: usize) -> Result<(), StepError> {
    if connections > 0 {
        return Ok(());
    }
    let why = "there was no connection to which it could be done".to_owned();
    Err(StepError { blame: Blame::Schedule, why })
}
