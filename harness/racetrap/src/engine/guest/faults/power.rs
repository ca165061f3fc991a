//! A power cut: the machine ends in an instant, and boots again from what is on its disk.

use racetrap_history::{Exit, GuestDisk};
use tokio::task::JoinSet;

use crate::engine::error::EngineError;
use crate::engine::guest::engine::{BOOT_LIMIT, Guest, end_child};
use crate::engine::guest::forward::Forward;
use crate::engine::guest::machine::{MACHINE_LIMIT, launch};
use crate::recorder::Recorder;

impl Guest {
    /// Kills QEMU. Both forwards lose their connections, and end by themselves.
    pub(super) async fn power_cut(&mut self) -> Result<(), EngineError> {
        self.engine.expect_end();
        self.daemon_forward.expect_end();
        self.harness_forward.expect_end();
        end_child(&mut self.qemu).await?;
        self.engine.end(Exit::Unknown("its machine lost its power".to_owned()));
        for forward in [&mut self.daemon_forward, &mut self.harness_forward] {
            if forward.wait_for_end(MACHINE_LIMIT).await.is_err() {
                end_child(forward).await?;
            }
        }
        Ok(())
    }

    /// Boots the machine from its disk, and forwards its engine's socket again.
    pub(super) async fn power_on(
        &mut self,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<(), EngineError> {
        let Self { template, machine, config, .. } = self;
        self.qemu = launch(template, machine, false, config, tasks, recorder).await?;
        // A new QEMU has none of the faults of the one before.
        self.disk = GuestDisk::Normal;
        self.wait_for_boot(recorder).await?;
        let image = self.template.image();
        let (qmp, config) = (&self.qmp, &self.config);
        self.harness_forward = Forward::Harness.begin(qmp, image, config, tasks, recorder).await?;
        self.daemon_forward = Forward::Daemon.begin(qmp, image, config, tasks, recorder).await?;
        self.wait_until_ready(Forward::Harness, BOOT_LIMIT).await?;
        self.wait_until_ready(Forward::Daemon, BOOT_LIMIT).await
    }
}
