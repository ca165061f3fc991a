//! Waits: for one level, or until the world is quiet.

use racetrap_history::WaitStep;

use super::faults::Faults;
use super::levels::await_level;
use super::logs::LogClients;
use super::settle::settle;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// The checkpoints of a run.
#[derive(Default)]
pub(in crate::run) struct Waits {
    /// How many there were so far.
    checkpoints: u32,
}

impl Waits {
    /// Does one step.
    pub(in crate::run) async fn step(
        &mut self,
        scene: &mut Scene,
        step: &WaitStep,
        faults: &Faults,
        logs: &mut LogClients,
    ) -> Result<(), StepError> {
        match step {
            WaitStep::Await(level) => await_level(scene, level).await,
            WaitStep::Settle => {
                self.checkpoints += 1;
                // What the engine has of their logs is compared with what they received.
                logs.arrive_answered();
                settle(scene, self.checkpoints, faults, logs).await
            }
        }
    }
}
