//! Gates on the wires and at the daemon's admission.

use racetrap_history::{
    Blame, GateName, Hold, HoldWrite, Match, Phase, Point, Side, Step, WriteMatch,
};
use racetrap_wire::{Gate, Matcher, Wire};

use super::runner::{Runner, StepError};
use crate::daemon::WriteGate;

/// Where a message or a write stands.
pub(super) enum Standing {
    Message(Gate),
    Write(WriteGate),
}

impl Runner {
    /// Arms the gate of a step, or keeps the step until the gate that it waits for is released.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    pub(super) async fn hold(&mut self, step: &Step) -> Result<(), StepError> {
        let after = match step {
            Step::Hold(Hold { after, .. }) | Step::HoldWrite(HoldWrite { after, .. }) => after,
            other => unreachable!("{other:?} arms no gate"),
        };
        if after.as_ref().is_some_and(|after| !self.released.contains(after)) {
            self.waiting.push((after.clone(), step.clone()));
            return Ok(());
        }
        self.arm(step).await
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has told the others apart")]
    async fn arm(&mut self, step: &Step) -> Result<(), StepError> {
        let (name, standing) = match step {
            Step::Hold(hold) => {
                let matcher = self.matcher(&hold.on)?;
                let point = match hold.at {
                    Point::Request => racetrap_wire::Point::Request,
                    Point::Response => racetrap_wire::Point::Response,
                    Point::Frame => racetrap_wire::Point::Frame,
                };
                let gate = self.wire(hold.wire).await?.hold(&hold.gate.0, matcher, point);
                (&hold.gate, Standing::Message(gate))
            }
            Step::HoldWrite(hold) => {
                let on = self.write_match(&hold.on)?;
                let gate = self.world.admission().await?.hold(&hold.gate.0, on);
                (&hold.gate, Standing::Write(gate))
            }
            other => unreachable!("{other:?} arms no gate"),
        };
        self.gates.insert(name.clone(), standing);
        Ok(())
    }

    pub(super) async fn reached(&mut self, name: &GateName) -> Result<(), StepError> {
        let gate = self.gates.get(name).expect("the schedule was checked: armed before reached");
        let reached = match gate {
            Standing::Message(gate) => {
                gate.reached(self.deadline).await.map_err(|error| error.to_string())
            }
            Standing::Write(gate) => {
                gate.reached(self.deadline).await.map_err(|error| error.to_string())
            }
        };
        reached.map_err(|why| StepError { blame: Blame::Schedule, why })
    }

    /// What counts from this release on is armed before it, so that it misses nothing.
    pub(super) async fn release(&mut self, name: &GateName) -> Result<(), StepError> {
        let waiting = std::mem::take(&mut self.waiting);
        let (due, waiting): (Vec<_>, _) =
            waiting.into_iter().partition(|(after, _)| after.as_ref() == Some(name));
        self.waiting = waiting;
        self.released.insert(name.clone());
        for (_, step) in due {
            self.arm(&step).await?;
        }
        let gate =
            self.gates.remove(name).expect("the schedule was checked: armed before released");
        match gate {
            Standing::Message(gate) => gate.release(),
            Standing::Write(gate) => gate.release(),
        }
        Ok(())
    }

    /// The wire between two sides.
    pub(super) async fn wire(&mut self, side: Side) -> Result<&Wire, StepError> {
        match side {
            Side::Engine => Ok(&self.world.wire),
            Side::Api => Ok(self.world.client_wire().await?),
            Side::User => {
                let wire = self.world.user.wire();
                Ok(wire.expect("the schedule was checked: the user's engine is somewhere"))
            }
        }
    }

    /// The wire's form of what a scenario names, with `$NAME` replaced by the engine's ID.
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
