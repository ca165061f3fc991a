//! `racetrap repro`.

use miette::miette;

use super::again::Again;
use super::checks;
use super::daemon::Daemon;
use super::evidence::hand_over;
use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::options::{ControlArgs, DaemonArgs, DefectArgs, WorldArgs};
use super::reports::ReportsArgs;
use super::run::{run_one, tell_if_nothing_shown};
use super::stop::StopListener;
use super::targets::targets;
use crate::process::called;
use crate::report::{self, Case, Progress, Terminal};
use crate::run::RunOptions;

/// Arguments of `repro`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// An id, a file, or a token such as rt1:…, which a search has printed
    #[arg(value_name = "ID|FILE|TOKEN")]
    target: String,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    defects: DefectArgs,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    reports: ReportsArgs,
}

/// Runs one scenario and prints its whole timeline, whatever the verdict is.
pub(super) async fn repro(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let deadlines = args.world.deadlines()?;
    let to_write = args.reports.open()?;
    let listener = StopListener::begin(deadlines.harness())?;
    let targets = args.control.apply(targets(std::slice::from_ref(&args.target))?);
    let [target] = targets.as_slice() else {
        let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
        return Err(Failure::usage(miette!(
            help = format!("use `{} run` for several", called()),
            "`{}` names several findings: {}",
            args.target,
            names.join(", ")
        )));
    };
    let daemon = Daemon::find(&args.daemon)?;
    let answers = daemon.ask().await;
    let defects = &args.defects.defects;
    answers.check_defects(defects)?;
    checks::demand(args.world.engine()).await?;
    let options = args.world.run_options(&daemon, defects, deadlines, listener.stop())?;
    let again =
        Again::new(&args.world, &daemon).command(&target.name, defects, args.control.control);
    let options = RunOptions { again, ..options };

    let progress = Progress::new(1, false);
    // A token is too long to be read.
    progress.began(target.scenario.finding.to_string());
    let (report, exit) = progress.until(run_one(target, &options)).await;
    drop(progress);
    let facts = daemon.facts(&answers);
    let told = terminal.write(&match format {
        Format::Human => report::run(&report, true, terminal.paint()),
        Format::Json => report::repro_json(&facts, &report),
    });
    let cases = Case::from_runs(&[report]);
    tell_if_nothing_shown(&cases);
    let reported = to_write.write("repro", Some(&facts), &cases);
    hand_over(&options.evidence, &cases, &to_write.files().collect::<Vec<_>>());
    conclude(exit, [told.map_err(Failure::from), reported])
}
