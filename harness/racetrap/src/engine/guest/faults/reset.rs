//! A reset: the guest boots again in the same machine. Nothing tells the other ends of its
//! connections: neither the daemon nor its `ssh` gets an end of theirs, until one of them sends
//! something to the guest that has booted.

use racetrap_history::Exit;
use serde_json::json;
use tokio::task::JoinSet;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::{BOOT_LIMIT, Guest, end_child};
use crate::engine::guest::forward::Forward;
use crate::recorder::Recorder;

impl Guest {
    /// Presses the reset button, and waits until the engine of the next boot answers the harness.
    /// The forward of the daemon stays as it is: it hangs.
    pub(super) async fn reset(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        self.engine.expect_end();
        // Once the guest has booted, it refuses whatever `ssh` sends, and `ssh` ends then.
        self.daemon_forward.expect_end();
        // QEMU resets the guest a little after it has answered. While the guest stands still, the
        // agent of this boot cannot answer the pings that are meant for the next one.
        self.qmp.run("stop", json!({})).await?;
        self.qmp.run("system_reset", json!({})).await?;
        self.qmp.run("cont", json!({})).await?;
        self.engine.end(Exit::Unknown("its machine was reset".to_owned()));
        end_child(&mut self.harness_forward).await?;
        self.wait_for_boot(recorder).await?;
        let (qmp, image) = (&self.qmp, self.template.image());
        self.harness_forward =
            Forward::Harness.begin(qmp, image, &self.config, tasks, recorder).await?;
        self.wait_until_ready(Forward::Harness, BOOT_LIMIT).await
    }
}
