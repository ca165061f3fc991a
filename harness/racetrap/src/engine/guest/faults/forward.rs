//! The end of the `ssh` that forwards the engine's socket, while engine and guest run on.

use tokio::task::JoinSet;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::{BOOT_LIMIT, Guest, end_child};
use crate::engine::guest::forward::Forward;
use crate::recorder::Recorder;

impl Guest {
    /// Kills the forward of the daemon. Its socket's file stays, and refuses every connection.
    pub(super) async fn kill_forward(&mut self) -> Result<(), EngineError> {
        end_child(&mut self.daemon_forward).await
    }

    /// Forwards the socket again, and waits until the engine answers on it. Ends the earlier `ssh`,
    /// which may still wait for a guest that was reset.
    pub(super) async fn forward_again(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        end_child(&mut self.daemon_forward).await?;
        let (qmp, image) = (&self.qmp, self.template.image());
        self.daemon_forward =
            Forward::Daemon.begin(qmp, image, &self.config, tasks, recorder).await?;
        self.wait_until_ready(Forward::Daemon, BOOT_LIMIT).await
    }
}
