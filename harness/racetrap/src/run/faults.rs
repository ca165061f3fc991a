//! Faults on the wires and at the daemon's admission, and the proof that each one happened.

use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{Blame, Fault, FaultKind, FaultName, Side, Step, Streams, View};
use racetrap_wire::{HalfOpenAfter, Part, Pieces, Rewrite, RuleGuard};

use super::commands::Background;
use super::runner::{Runner, StepError};
use crate::daemon::DenyGuard;
use crate::wait::{polled, until};

/// A fault that is armed, and by what name the history tells of it.
pub(super) struct Armed {
    rule: String,
    name: Option<FaultName>,
    guard: Option<Guard>,
}

enum Guard {
    Wire(#[expect(dead_code, reason = "its end disarms the rule")] RuleGuard),
    Write(DenyGuard),
}

impl Runner {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    pub(super) async fn arm_fault(&mut self, step: &Step) -> Result<(), StepError> {
        let number = self.armed.len() + 1;
        let (rule, name, guard) = match step {
            Step::Answer { status, on, times } => {
                let rule = format!("answer {status}, rule {number}");
                let matcher = self.matcher(on)?;
                let guard = self.world.wire.answer(&rule, matcher, *status, *times);
                (rule, None, Guard::Wire(guard))
            }
            Step::DenyWrite { on, times } => {
                let rule = format!("deny, rule {number}");
                let on = self.write_match(on)?;
                let guard = self.world.admission().await?.deny(&rule, on, *times);
                (rule, None, Guard::Write(guard))
            }
            Step::Fault(fault) => {
                let rule = format!("{}, rule {number}", word(&fault.kind));
                let guard = self.arm_wire_fault(&rule, fault).await?;
                (rule, fault.name.clone(), Guard::Wire(guard))
            }
            Step::Happened(name) => return self.happened(name).await,
            Step::Lift(name) => {
                self.armed_as(name).guard = None;
                return Ok(());
            }
            Step::Record { name, on } => {
                let recording = self.world.wire.record(&name.0, self.matcher(on)?, None);
                self.recordings.insert(name.clone(), recording);
                return Ok(());
            }
            other => unreachable!("{other:?} arms no fault"),
        };
        self.armed.push(Armed { rule, name, guard: Some(guard) });
        Ok(())
    }

    async fn arm_wire_fault(&mut self, rule: &str, fault: &Fault) -> Result<RuleGuard, StepError> {
        let matcher = self.matcher(&fault.on)?;
        let wire = self.wire(fault.wire).await?.clone();
        let times = fault.times;
        // A fault on a stream's frame is one whose match says which frame.
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
            FaultKind::Rewrite { set, remove } => {
                let set = set.iter().map(|(at, value)| (at.clone(), Some(value.clone())));
                let removed = remove.iter().map(|at| (at.clone(), None));
                let part = if of_frame { Part::Frame } else { Part::Body };
                let rewrite = Rewrite { part, values: set.chain(removed).collect() };
                wire.rewrite(rule, matcher, rewrite, times)
            }
        })
    }

    /// A fault that did not happen shows nothing: a run that goes on without it would be no proof.
    pub(super) fn require_faults(&self) -> Result<(), StepError> {
        let fired = |rule: &str| self.recorder().with_view(|view| view.has_happened(rule));
        let happened = |armed: &&Armed| match &armed.guard {
            Some(Guard::Write(guard)) => guard.fired(),
            Some(Guard::Wire(_)) | None => fired(&armed.rule),
        };
        match self.armed.iter().find(|armed| !happened(armed)) {
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
    async fn happened(&mut self, name: &FaultName) -> Result<(), StepError> {
        let rule = self.armed_as(name).rule.clone();
        let waited = until(format!("`{rule}` to happen"), self.deadline, self.recorder(), |view| {
            if view.has_happened(&rule) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue("it fitted no message yet".to_owned())
        });
        waited.await.map_err(|error| StepError::by(Blame::Schedule, &error))
    }

    /// Waits until a client watches: one that waits for something looks before.
    async fn watched(&mut self) -> Result<(), StepError> {
        let limit = self.deadline;
        let wire = self.wire(Side::Api).await?;
        let watched =
            polled("a client's watch", limit, async || match wire.status().event_streams {
                0 => ControlFlow::Continue("there is none".to_owned()),
                _ => ControlFlow::Break(()),
            });
        watched.await.map_err(|error| StepError::by(Blame::Schedule, &error))
    }

    /// Cuts the clients' watches, and waits until that was noticed: each command has ended, or something
    /// is asked anew. What the scenario does next would else be over before a command is wrong about it.
    async fn cut_watches(&mut self) -> Result<(), StepError> {
        self.watched().await?;
        let before = self.recorder().with_view(View::client_requests);
        let done = self.wire(Side::Api).await?.cut(racetrap_wire::Streams::Events);
        require_done(done)?;
        let noticed =
            polled("a client that noticed the end of its watch", self.deadline, async || {
                let asks_anew = self.recorder().with_view(View::client_requests) > before;
                if asks_anew || self.commands.values().all(Background::has_ended) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue("nothing was asked, and a command goes on".to_owned())
            });
        noticed.await.map_err(|error| StepError::by(Blame::Schedule, &error))
    }

    /// What the wire does at once, to whatever connections there are.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    pub(super) async fn disturb(&mut self, step: &Step) -> Result<(), StepError> {
        let wire = self.world.wire.clone();
        if matches!(step, Step::Inject { .. }) {
            // A daemon may be about to subscribe anew, because of the frame before.
            let open = |_: &View| wire.status().event_streams > 0;
            self.until("an open event stream".to_owned(), open).await?;
        }
        let done = match step {
            Step::Cut(Streams::Watches) => return self.cut_watches().await,
            Step::Cut(Streams::Events) => wire.cut(racetrap_wire::Streams::Events),
            Step::Cut(Streams::All) => wire.cut(racetrap_wire::Streams::All),
            Step::Inject { frame } => wire.inject("inject", format!("{frame}\n").as_bytes()),
            Step::ReplaceSocket => {
                return wire.replace_socket().map_err(|error| StepError::by(Blame::World, &error));
            }
            Step::Refuse | Step::Accept => {
                self.refusing = matches!(step, Step::Refuse).then(|| wire.refuse());
                return Ok(());
            }
            other => unreachable!("{other:?} disturbs nothing"),
        };
        require_done(done)
    }
}

/// What was done to no connection was not done.
fn require_done(connections: usize) -> Result<(), StepError> {
    if connections > 0 {
        return Ok(());
    }
    let why = "there was no connection to which it could be done".to_owned();
    Err(StepError { blame: Blame::Schedule, why })
}

/// The word by which the scenario language knows a kind of fault.
fn word(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Lose => "lose",
        FaultKind::HalfOpen { .. } => "half_open",
        FaultKind::Slow { .. } => "slow",
        FaultKind::Truncate { .. } => "truncate",
        FaultKind::Stale { .. } => "stale",
        FaultKind::Drop => "drop",
        FaultKind::Duplicate => "duplicate",
        FaultKind::Reorder { .. } => "reorder",
        FaultKind::Rewrite { .. } => "rewrite",
    }
}
