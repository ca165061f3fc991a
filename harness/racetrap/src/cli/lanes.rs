//! `racetrap lanes`: runs scenarios on several engines.

use miette::Report;

use super::columns::{Column, Table, compare};
use super::daemon::Daemon;
use super::exit::{Exit, Failure};
use super::format::Format;
use super::options::{DaemonArgs, JobsArgs, WorldArgs};
use crate::engine::{Engines, InstallError};
use crate::report::{self, Terminal};
use crate::vm::{GuestVersion, Images, Limactl, VmError};
use crate::world::{EngineChoice, EngineKind, EngineVersion};

/// Arguments of `lanes`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Ids, globs such as `295-*`, or files [default: the whole catalogue]
    #[arg(value_name = "ID|FILE")]
    targets: Vec<String>,
    /// Another engine, with which that of `--engine` is compared; may be given several times
    /// [default: all that are installed or built]
    #[arg(long, value_name = "ENGINE")]
    with: Vec<EngineChoice>,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    jobs: JobsArgs,
}

/// Runs each scenario on each engine.
pub(super) async fn lanes(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let daemon = Daemon::find(&args.daemon)?;
    let first = args.world.engine();
    let others = if args.with.is_empty() { available()? } else { args.with };
    let mut engines = vec![first];
    engines.extend(others.into_iter().filter(|engine| *engine != first));
    let column = |engine: EngineChoice| Column {
        name: engine.to_string(),
        daemon: daemon.clone(),
        world: WorldArgs { engine, ..args.world.clone() },
    };
    let columns = engines.into_iter().map(column).collect();
    let table = Table { command: "lanes", text: report::lanes, json: report::lanes_json };
    compare(columns, &args.targets, &args.jobs, &table, (format, terminal)).await
}

/// The engines that this machine has beside its own: first those that are installed, then the guests, forked
/// and, if there is a Lima, booted by it.
fn available() -> Result<Vec<EngineChoice>, Failure> {
    let engines = Engines::in_user_cache().map_err(of_engine)?;
    let mut found = Vec::new();
    for version in EngineVersion::ALL {
        if engines.manifest(version).map_err(of_engine)?.is_some() {
            found.push(EngineKind::Dockerd(Some(version)));
        }
    }
    let images = Images::in_user_cache().and_then(|images| images.list()).map_err(of_guest)?;
    let is_built = |version: &GuestVersion| {
        images.iter().any(|image| image.version == *version && image.is_current)
    };
    let guests = || GuestVersion::ALL.into_iter().filter(is_built);
    found.extend(guests().map(EngineKind::Guest));
    if Limactl::find().is_ok() {
        found.extend(guests().map(EngineKind::Lima));
    }
    Ok(found.into_iter().map(|kind| EngineChoice { kind, store: None }).collect())
}

fn of_engine(error: InstallError) -> Failure {
    Failure::machine(Report::from_err(error))
}

fn of_guest(error: VmError) -> Failure {
    Failure::machine(Report::from_err(error))
}
