//! Gates on the wires and at the daemon's admission.

use std::collections::{BTreeMap, BTreeSet};

use racetrap_history::{Blame, GateName, GateStep, Hold, HoldWrite, Point, Step};

use super::serial::Turns;
use crate::daemon::WriteGate;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// The gates of a scenario.
#[derive(Default)]
pub(in crate::run) struct Gates {
    armed: BTreeMap<GateName, Gate>,
    /// Gates that are armed only when another one is released, each with that one's name.
    waiting: Vec<(GateName, Wanted)>,
    released: BTreeSet<GateName>,
    /// Messages and steps go on one at a time.
    turns: Option<Turns>,
}

/// A gate that is armed, or that holds something. Dropped, it opens.
enum Gate {
    Message(racetrap_wire::Gate),
    Write(WriteGate),
}

/// A gate as the scenario asks for it.
#[derive(Clone)]
enum Wanted {
    Message(Hold),
    Write(HoldWrite),
}

impl Gates {
    /// Does one step.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &mut Scene,
        step: &GateStep,
    ) -> Result<(), StepError> {
        match step {
            GateStep::Hold(hold) => {
                self.hold(scene, hold.after.as_ref(), Wanted::Message(hold.clone())).await
            }
            GateStep::HoldWrite(hold) => {
                self.hold(scene, hold.after.as_ref(), Wanted::Write(hold.clone())).await
            }
            GateStep::Reached(name) => self.reached(scene, name).await,
            GateStep::Release(name) => self.release(scene, name).await,
            GateStep::Serial(how) => {
                self.turns = Some(Turns::begin(scene, how));
                Ok(())
            }
            GateStep::Free => {
                self.turns = None;
                Ok(())
            }
        }
    }

    /// Waits for the step's turn, if messages and steps go on one at a time.
    pub(in crate::run) async fn turn(&self, step: &Step) {
        if let Some(turns) = &self.turns
            && *step != Step::Gate(GateStep::Free)
        {
            turns.wait().await;
        }
    }

    /// Arms a gate, or keeps it until the gate that it waits for is released.
    async fn hold(
        &mut self,
        scene: &mut Scene,
        after: Option<&GateName>,
        wanted: Wanted,
    ) -> Result<(), StepError> {
        match after.filter(|after| !self.released.contains(*after)) {
            Some(after) => {
                self.waiting.push((after.clone(), wanted));
                Ok(())
            }
            None => self.arm(scene, &wanted).await,
        }
    }

    async fn arm(&mut self, scene: &mut Scene, wanted: &Wanted) -> Result<(), StepError> {
        let (name, gate) = match wanted {
            Wanted::Message(hold) => {
                let matcher = scene.matcher(&hold.on)?;
                let point = match hold.at {
                    Point::Request => racetrap_wire::Point::Request,
                    Point::Response => racetrap_wire::Point::Response,
                    Point::Frame => racetrap_wire::Point::Frame,
                };
                let gate = scene.wire(hold.wire).await?.hold(&hold.gate.0, matcher, point);
                (&hold.gate, Gate::Message(gate))
            }
            Wanted::Write(hold) => {
                let on = scene.write_match(&hold.on)?;
                let gate = scene.world.admission().await?.hold(&hold.gate.0, on);
                (&hold.gate, Gate::Write(gate))
            }
        };
        self.armed.insert(name.clone(), gate);
        Ok(())
    }

    async fn reached(&self, scene: &Scene, name: &GateName) -> Result<(), StepError> {
        let gate = self.armed.get(name).expect("the schedule was checked: armed before reached");
        let limit = scene.deadline;
        let reached = match gate {
            Gate::Message(gate) => gate.reached(limit).await.map_err(|error| error.to_string()),
            Gate::Write(gate) => gate.reached(limit).await.map_err(|error| error.to_string()),
        };
        reached.map_err(|why| StepError { blame: Blame::Schedule, why })
    }

    /// Releases a gate. A gate that waits for this is armed before it, so that it misses nothing.
    async fn release(&mut self, scene: &mut Scene, name: &GateName) -> Result<(), StepError> {
        let waiting = std::mem::take(&mut self.waiting);
        let (due, waiting): (Vec<_>, _) = waiting.into_iter().partition(|(after, _)| after == name);
        self.waiting = waiting;
        self.released.insert(name.clone());
        for (_, wanted) in due {
            self.arm(scene, &wanted).await?;
        }
        let gate = self.armed.remove(name);
        match gate.expect("the schedule was checked: armed before released") {
            Gate::Message(gate) => gate.release(),
            Gate::Write(gate) => gate.release(),
        }
        Ok(())
    }
}
