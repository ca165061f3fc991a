//! The daemon's process and its VM.

use racetrap_history::{DaemonOp, DaemonStep};

use crate::run::scene::Scene;
use crate::run::step_error::StepError;

/// Does one step.
pub(in crate::run) async fn step(scene: &mut Scene, step: &DaemonStep) -> Result<(), StepError> {
    match step {
        DaemonStep::Process(op) => process(scene, *op).await,
        DaemonStep::Vm(op) => Ok(scene.world.daemon.vm(*op)?),
        DaemonStep::VmProcess(step) => Ok(scene.world.vms()?.0.apply(step).await?),
        DaemonStep::Bystander(step) => {
            let (vms, keepers) = scene.world.vms()?;
            Ok(vms.add_bystanders(step, keepers).await?)
        }
        DaemonStep::SshKeys(op) => Ok(scene.world.vms()?.0.spoil_keys(*op)?),
        DaemonStep::Wsl(step) => Ok(scene.world.vms()?.0.script_wsl(step)?),
    }
}

async fn process(scene: &mut Scene, op: DaemonOp) -> Result<(), StepError> {
    match op {
        DaemonOp::Kill => {
            scene.world.forget_clients();
            scene.world.daemon.kill().await?;
        }
        DaemonOp::Stop => {
            scene.world.forget_clients();
            if let Some(why) = scene.world.daemon.stop().await {
                return Err(scene.failure_of_daemon(why));
            }
            scene.world.record_vms();
        }
        DaemonOp::StopLate => {
            scene.world.forget_clients();
            if let Some(why) = scene.world.daemon.stop_late().await? {
                return Err(scene.failure_of_daemon(why));
            }
        }
        DaemonOp::Start => scene.world.start_daemon_again().await?,
        DaemonOp::Freeze => scene.world.daemon.freeze().await?,
        DaemonOp::Thaw => scene.world.daemon.thaw()?,
    }
    Ok(())
}
