//! A reset: the guest boots again in the same machine. Nothing tells the other ends of its
//! connections: neither the daemon nor its `ssh` gets an end of theirs, until one of them sends
//! something to the guest that has booted.

use serde_json::json;
use tokio::task::JoinSet;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::Guest;
use crate::recorder::Recorder;

impl Guest {
    /// Presses the reset button, and waits until the engine of the next boot answers the harness.
    /// The forward of the daemon stays as it is: it hangs.
    pub(super) async fn reset(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.expect_boot();
        // QEMU resets the guest a little after it has answered. While the guest stands still, the
        // agent of this boot cannot answer the pings that are meant for the next one.
        self.qmp.run("stop", json!({})).await?;
        self.qmp.run("system_reset", json!({})).await?;
        self.qmp.run("cont", json!({})).await?;
        self.follow_boot("its machine was reset", tasks, recorder).await
    }
}
