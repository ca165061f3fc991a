//! Users of the engine, and the engine's process.

use racetrap_history::{EngineOp, EngineStep};

use crate::engine::{NewContainer, WorkloadError};
use crate::run::scene::Scene;
use crate::run::step_error::StepError;
use crate::sys::Signal;
use crate::world::World;

/// Does one step. After a step that changes what the engine holds, the engine is asked for that anew.
pub(in crate::run) async fn step(scene: &mut Scene, step: &EngineStep) -> Result<(), StepError> {
    let workload = &mut scene.world.workload;
    let done: Result<(), WorkloadError> = match step {
        EngineStep::Process(op) => return process(&mut scene.world, *op).await,
        EngineStep::LoadImage { image, tags } => workload.load_image(image, tags).await,
        EngineStep::Tag { image, tag } => workload.tag(image, tag).await,
        EngineStep::Untag { tag, force } => workload.remove_image(tag, *force).await,
        EngineStep::RemoveImage { image, force } => {
            let id = workload.id(image)?.to_owned();
            workload.remove_image(&id, *force).await
        }
        EngineStep::CreateContainer { name, image, start, volumes, prints } => {
            let new = NewContainer { name, image, volumes, prints };
            workload.create_container(new, *start).await
        }
        EngineStep::Container { name, op } => workload.change_container(name, *op).await,
        EngineStep::RemoveContainer { name } => workload.remove_container(name).await,
        EngineStep::PrepareExecs { container, count } => {
            workload.prepare_execs(container, *count).await
        }
        EngineStep::CreateVolume { name } => workload.create_volume(name).await,
        EngineStep::CreateVolumes { prefix, count } => {
            workload.create_volumes(prefix, *count).await
        }
        EngineStep::RemoveVolumes { prefix } => workload.remove_volumes(prefix).await,
        EngineStep::RemoveVolume { name } => workload.remove_volume(name).await,
    };
    done?;
    Ok(scene.world.truth.refresh().await?)
}

async fn process(world: &mut World, op: EngineOp) -> Result<(), StepError> {
    let recorder = world.recorder().clone();
    let World { engine, tasks, .. } = world;
    match op {
        EngineOp::Kill => engine.end(Signal::KILL).await?,
        EngineOp::Stop => engine.end(Signal::TERM).await?,
        EngineOp::Start => {
            engine.restart(&mut tasks.keepers, &recorder).await?;
            world.truth.refresh().await?;
        }
        EngineOp::Freeze => engine.freeze().await?,
        EngineOp::Thaw => engine.thaw().await?,
    }
    Ok(())
}
