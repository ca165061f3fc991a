//! The daemon's VM: checks that the daemon runs in the chosen mode, and prepares what the mode
//! needs.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use racetrap_history::{VmMode, VmOp};

use super::adapter::Daemon;
use super::api::Api;
use super::error::DaemonError;
use super::lima;
use crate::chain::chain;
use crate::process::find_program;
use crate::wait::polled;

/// How long the API server may take to establish a definition; a real one needs 5 s (contract 3.4).
/// Also how long the daemon may take to announce its controllers.
const DEFINE_LIMIT: Duration = Duration::from_secs(30);

impl Daemon {
    /// Lets the harness's stand-in for the VM wait with its next change, or go on.
    ///
    /// # Errors
    /// In VM mode `program`, where the harness does not play the VM.
    pub(crate) fn vm(&self, op: VmOp) -> Result<(), DaemonError> {
        // Only the stand-in subscribes to this channel.
        if self.vm.send(op).is_ok() {
            return Ok(());
        }
        let why = "the step needs a VM that the harness plays".to_owned();
        Err(DaemonError::VmMode { mode: VmMode::Api, why })
    }

    /// Plays the VM for as long as the returned future is polled.
    pub(super) fn play_vm(&self, api: &Api) -> impl Future<Output = ()> + Send + use<> {
        lima::play(api.clone(), self.vm.subscribe(), self.recorder.clone())
    }

    /// Writes Lima's configuration: in VM mode `guest` that of the guest, and in mode
    /// `program` one that names a disk image that is never read (contract 7.6 A). Checks for the
    /// programs that Lima calls whatever the VM is.
    pub(super) fn prepare_lima(&self) -> Result<(), DaemonError> {
        for (program, package) in [("qemu-img", "qemu-utils"), ("ssh-keygen", "openssh-client")] {
            if find_program(program).is_none() {
                return Err(DaemonError::NoProgram { program, package });
            }
        }
        let home = self.required_path("lima_home")?;
        let image = self.environment.home().join("boot.img");
        let write = || -> io::Result<()> {
            let text = match &self.lima_override {
                Some(text) => text.clone(),
                None => {
                    racetrap_vm::boot_image(&image)?;
                    racetrap_vm::lima_override(&image)
                }
            };
            std::fs::create_dir_all(home.join("_config"))?;
            std::fs::write(home.join("_config/override.yaml"), text)
        };
        write().map_err(DaemonError::NoVmFiles)
    }

    /// Checks by the daemon's discovery ConfigMap that its Lima controller runs, except in mode `api` (contract 3.2, 3.3). Older revisions write the ConfigMap after `svc start`
    /// has returned, so this waits for it.
    pub(super) async fn check_vm_mode(&self, api: &Api, mode: VmMode) -> Result<(), DaemonError> {
        let announced = polled("the controllers to be announced", DEFINE_LIMIT, async || match api
            .enabled_controllers()
            .await
        {
            Ok(enabled) if enabled.is_empty() => ControlFlow::Continue("none is".to_owned()),
            Ok(enabled) => ControlFlow::Break(enabled),
            Err(error) => ControlFlow::Continue(chain(&error)),
        });
        let enabled = announced.await?;
        let has_lima = enabled.iter().any(|name| name == "limavm");
        if has_lima == (mode != VmMode::Api) {
            return Ok(());
        }
        let why = format!("the daemon runs the controllers {}", enabled.join(", "));
        Err(DaemonError::VmMode { mode, why })
    }

    /// Lets the App run, so that the daemon's Lima boots the guest, and waits until the App has settled.
    ///
    /// # Errors
    /// If it has not within `limit`.
    pub(crate) async fn boot_guest(&self, limit: Duration) -> Result<(), DaemonError> {
        let (_, ending) = self.begin_set(&["running=true".to_owned()], Some(limit))?;
        let run = ending.await.map_err(|source| self.program_error(source))??;
        self.require_success("set running=true", run).map(drop)
    }

    /// Defines the kind LimaVM and waits until the API server has established it.
    pub(super) async fn define_lima_vms(&self, api: &Api) -> Result<(), DaemonError> {
        let definition = lima::definition();
        let established = polled("the LimaVM kind to be established", DEFINE_LIMIT, async || {
            match api.define(&definition).await {
                Ok(true) => ControlFlow::Break(()),
                Ok(false) => ControlFlow::Continue("not established yet".to_owned()),
                Err(error) => ControlFlow::Continue(chain(&error)),
            }
        });
        Ok(established.await?)
    }
}
