//! What a run has before its first step: its world, the world of its neighbour, and the answer to
//! whether the scenario is for this daemon.

use std::path::Path;

use racetrap_history::Scenario;

use super::applicable;
use super::options::RunOptions;
use super::perform::Setting;
use super::runner::Runner;
use crate::recorder::Recorder;
use crate::world::{World, WorldError, WorldOptions};

/// What a run has before its first step.
pub(super) struct Made {
    pub(super) world: World,
    pub(super) neighbour: Option<Box<Runner>>,
    /// What the scenario supposes and the daemon lacks.
    pub(super) lacking: Option<String>,
}

/// Makes the worlds of a run, or begins the run in a world that is used again. Looks then whether the
/// daemon has what the scenario supposes.
pub(super) async fn make(
    used: Option<World>,
    setting: Setting<'_>,
    evidence: &Path,
    recorder: &Recorder,
) -> Result<Made, WorldError> {
    let Setting { scenario, options, .. } = setting;
    let asked = world_options(setting, evidence);
    let (world, neighbour) = match used {
        Some(world) => (begin_again(world, evidence).await?, None),
        None => make_worlds(scenario, options, &asked, recorder).await?,
    };
    let lacking = applicable::lacking(&world, scenario, &asked).await;
    Ok(Made { world, neighbour, lacking })
}

fn world_options(setting: Setting<'_>, evidence: &Path) -> WorldOptions {
    let Setting { scenario, options, vm, .. } = setting;
    WorldOptions {
        daemon: options.daemon.clone(),
        defects: options.defects.clone(),
        vm,
        engine: options.engine,
        evidence: evidence.to_owned(),
        needs: scenario.needs.clone(),
        prepared: options.pool.prepared(),
        home: None,
    }
}

/// Begins a run in a world that is used again. A world in which that fails is closed.
async fn begin_again(mut world: World, evidence: &Path) -> Result<World, WorldError> {
    match world.begin(evidence).await {
        Ok(()) => Ok(world),
        Err(error) => {
            world.recorder().append(error.record());
            world.close().await;
            Err(error)
        }
    }
}

/// Makes a world, and a neighbour for it if the scenario needs one.
async fn make_worlds(
    scenario: &Scenario,
    options: &RunOptions,
    asked: &WorldOptions,
    recorder: &Recorder,
) -> Result<(World, Option<Box<Runner>>), WorldError> {
    let world = World::start(asked, recorder).await?;
    if !scenario.needs.neighbour {
        return Ok((world, None));
    }
    let asked = WorldOptions {
        home: Some(world.home().to_owned()),
        evidence: asked.evidence.join("neighbour"),
        ..asked.clone()
    };
    let recorder = recorder.neighbour();
    match World::start(&asked, &recorder).await {
        Ok(neighbour) => {
            let runner = Runner::new(neighbour, options.deadlines.step(), None);
            Ok((world, Some(Box::new(runner))))
        }
        Err(error) => {
            world.close().await;
            Err(error)
        }
    }
}
