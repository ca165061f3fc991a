//! A pause: the processors of the guest stop, and its clock with them. Connections stay open, and
//! nobody answers on them.

use serde_json::json;

use crate::clock::Clock;
use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;
use crate::engine::guest::machine::REQUEST_LIMIT;
use crate::recorder::Recorder;

impl Guest {
    /// Stops the processors.
    pub(super) async fn pause(&self) -> Result<(), EngineError> {
        self.qmp.run("stop", json!({})).await?;
        Ok(())
    }

    /// Lets the processors go on. The guest's clock has lost the time of the pause, as that of a
    /// laptop's guest after a sleep.
    pub(super) async fn resume(&self, recorder: &Recorder) -> Result<(), EngineError> {
        self.qmp.run("cont", json!({})).await?;
        let there = self.agent.run("date +%s.%N", REQUEST_LIMIT).await?;
        let seconds = |text: &str| text.trim().parse::<f64>().unwrap_or_default();
        let behind = seconds(&Clock::start().unix_time()) - seconds(&there);
        recorder.note(format!("after the pause, the guest's clock is {behind:.1} s behind"));
        Ok(())
    }
}
