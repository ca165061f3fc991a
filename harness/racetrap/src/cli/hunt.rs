//! `racetrap hunt`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use miette::{Report, miette};
use racetrap_search::{Signature, hunt as plans};
use tokio::time::Instant;

use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::judge::judged;
use super::run::worst;
use super::search::{Begun, Queue, SubjectArgs, duration, run_plans, shrink_all};
use super::worlds;
use crate::bundle::LoadedBundle;
use crate::derived::{JOURNAL, Rebuilt};
use crate::known::KnownFailures;
use crate::report::{self, Pairs, SearchReport, Terminal, tell};
use crate::search::{Enough, Limits};

/// Arguments of `hunt`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Evidence of a run that failed: its directory, or the archive of one
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    #[command(flatten)]
    subject: SubjectArgs,
    /// Begin no try after this time, such as 90s or 10m
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = duration)]
    time: Duration,
    /// How long the schedule that was found may be repeated and shortened; 0s leaves it as it is
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    shrink_for: Duration,
}

/// Looks for a schedule that repeats the failure of a bundle. Exits with 1 if there is one, because the
/// daemon has failed then, and with 3 if none was found.
pub(super) async fn hunt(args: Args, format: Format, terminal: Terminal) -> Result<Exit, Failure> {
    let began = Instant::now();
    let Rebuilt { header, history, judgement } = read(&args)?;
    let Some(wanted) = Signature::new(&judgement) else {
        return Err(Failure::usage(miette!(
            "the run of {} did not fail: its verdict is {}",
            args.bundle.display(),
            judgement.verdict
        )));
    };
    // Without another wish, the same defects are switched on as in the run.
    let given = args.subject.defects.defects.clone();
    let defects = if given.is_empty() { header.defects } else { given };
    let plans = plans(&history);
    tell(&format!("wanted: {wanted}; {} schedules to try", plans.len()));
    let begun = Begun::new(&args.subject, &defects).await?;
    let limits = Limits {
        until: began + args.time,
        plans: None,
        enough: Enough::Like(wanted),
        jobs: args.subject.jobs.jobs,
        known: KnownFailures::default(),
    };
    let count = Some(plans.len());
    let queue = Queue { plans: plans.into_iter(), count, pairs: Pairs::new() };
    let mut explored = run_plans(queue, &begun, limits, None).await;
    // Other failures that were met on the way are not what was asked for.
    explored.failures.retain(|failure| failure.signature == wanted);
    let found = shrink_all(&explored, args.shrink_for, args.subject.jobs.jobs, &begun, None).await;
    let closed = worlds::close(&begun.options.pool).await;
    let removed = BTreeMap::new();
    let report = SearchReport {
        lessons: &[],
        planned: count,
        earlier: 0,
        removed: &removed,
        explored: &explored,
        unseen: Vec::new(),
        kept: None,
    };
    let told = terminal.write(&match format {
        Format::Human => report::search(&report, &found?, terminal.paint()),
        Format::Json => report::search_json(&begun.daemon, &report, &found?),
    });
    let exit = if explored.failures.is_empty() { Exit::Unknown } else { Exit::Broken };
    conclude(worst([exit, closed].into_iter()), [told.map_err(Failure::from)])
}

fn read(args: &Args) -> Result<Rebuilt, Failure> {
    let bundle = LoadedBundle::read(&args.bundle, |file| file == JOURNAL);
    judged(&bundle.map_err(|error| Failure::usage(Report::from_err(error)))?, &args.bundle)
}
