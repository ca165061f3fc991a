//! Users of the engine, and the engine's process.

use racetrap_history::{BuildImage, EngineOp, EngineStep, GuestDisk, GuestOp, VmMode, What};
use racetrap_images::ImageSpec;
use tokio::time::timeout;

use crate::chain::chain;
use crate::engine::WorkloadError;
use crate::run::scene::Scene;
use crate::run::step_error::StepError;
use crate::sys::Signal;
use crate::world::World;

/// Does one step. After a step that changes what the engine holds, the engine is asked for that anew.
pub(in crate::run) async fn step(scene: &mut Scene, step: &EngineStep) -> Result<(), StepError> {
    let workload = &mut scene.world.workload;
    let done: Result<(), WorkloadError> = match step {
        EngineStep::Process(op) => return process(&mut scene.world, *op).await,
        EngineStep::Guest(op) => return guest(scene, *op).await,
        EngineStep::LoadImage { image, tags, labels, platforms } => {
            let spec = ImageSpec {
                variant: image.clone(),
                tags: tags.clone(),
                labels: labels.clone(),
                platforms: platforms.iter().map(ToString::to_string).collect(),
                ..ImageSpec::default()
            };
            workload.load_image(&spec).await
        }
        EngineStep::Tag { image, tag } => workload.tag(image, tag).await,
        EngineStep::Untag { tag, force } => workload.remove_image(tag, *force).await,
        EngineStep::RemoveImage { image, force } => {
            let id = workload.id(image)?.to_owned();
            workload.remove_image(&id, *force).await
        }
        EngineStep::Build(build) => workload.build(build).await,
        EngineStep::Commit { container, image, tag } => {
            workload.commit(container, image, tag.as_deref()).await
        }
        EngineStep::Prune(what) => workload.prune(*what).await,
        EngineStep::CreateContainer(new) => workload.create_container(new).await,
        EngineStep::Rename { name, to } => workload.rename(name, to).await,
        EngineStep::Exec(exec) => workload.exec(exec).await,
        EngineStep::Container { name, op } => workload.change_container(name, *op).await,
        EngineStep::RemoveContainer { name } => workload.remove_container(name).await,
        EngineStep::PrepareExecs { container, count } => {
            workload.prepare_execs(container, *count).await
        }
        EngineStep::CreateVolume(new) => {
            let refused = workload.create_described_volume(new).await?;
            if let Some(message) = refused {
                scene.recorder().note(format!("the engine refused the volume: {message}"));
            }
            Ok(())
        }
        EngineStep::CreateVolumes { prefix, count } => {
            workload.create_volumes(prefix, *count).await
        }
        EngineStep::RemoveVolumes { prefix } => workload.remove_volumes(prefix).await,
        EngineStep::RemoveVolume { name } => workload.remove_volume(name).await,
    };
    done?;
    if let EngineStep::Build(BuildImage { image, .. }) | EngineStep::Commit { image, .. } = step {
        name(scene, image)?;
    }
    Ok(scene.world.truth.refresh().await?)
}

/// Records the ID of an image that a step has named. Its label says so too, but an engine may have told
/// of the image before it could be asked for the label.
fn name(scene: &Scene, name: &str) -> Result<(), StepError> {
    let id = scene.world.workload.id(name)?.to_owned();
    scene.recorder().append(What::Named { id, name: name.to_owned() });
    Ok(())
}

async fn guest(scene: &mut Scene, op: GuestOp) -> Result<(), StepError> {
    let (recorder, limit) = (scene.recorder().clone(), scene.deadline);
    let World { engine, tasks, vm, .. } = &mut scene.world;
    let applying = engine.apply_to_guest(op, &mut tasks.keepers, &recorder);
    // In VM mode `guest`, these steps only wait for what the daemon does by itself.
    let is_daemons = matches!(op, GuestOp::PowerOn | GuestOp::Forward | GuestOp::KillHostagent);
    if *vm == VmMode::Guest && is_daemons {
        let late = || format!("the daemon did not do it within {limit:?}");
        let applied = match timeout(limit, applying).await {
            Ok(applied) => applied.map_err(|error| chain(&error)),
            Err(_) => Err(late()),
        };
        applied.map_err(|why| scene.failure_of_daemon(why))?;
    } else {
        applying.await?;
    }
    let world = &scene.world;
    // A guest that boots may have lost what its engine had not written to its disk.
    if op.boots() || matches!(op, GuestOp::Resume | GuestOp::Disk(GuestDisk::Normal)) {
        world.truth.refresh().await?;
    }
    Ok(())
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
