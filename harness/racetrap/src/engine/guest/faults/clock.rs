//! A jump of the guest's clock. The engine is not told: what it creates afterwards has the new time, and what
//! it created before keeps the old one.

use racetrap_history::ClockJump;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;
use crate::engine::guest::machine::REQUEST_LIMIT;
use crate::recorder::Recorder;

impl Guest {
    /// Sets the clock, and records how far it has moved.
    pub(super) async fn set_clock(
        &self,
        jump: ClockJump,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let wanted = jump.seconds();
        // One shell in the guest reads and sets the clock, so nothing on this machine comes in between.
        let script = format!(
            "now=$(date +%s.%N); date -s @$((${{now%.*}} + {wanted})).${{now#*.}} >/dev/null \
             && echo $now $(date +%s.%N)"
        );
        let said = self.agent.run(&script, REQUEST_LIMIT).await?;
        let times: Vec<f64> = said.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        let [before, after] = times[..] else {
            return Err(EngineError::NoEffect { why: format!("it printed the times `{said}`") });
        };
        let took = after - before - wanted as f64;
        if !(0.0..REQUEST_LIMIT.as_secs_f64()).contains(&took) {
            let why = format!("its clock went from {before} to {after}");
            return Err(EngineError::NoEffect { why });
        }
        recorder.note(format!("the guest's clock jumped from {before:.1} to {after:.1}"));
        Ok(())
    }
}
