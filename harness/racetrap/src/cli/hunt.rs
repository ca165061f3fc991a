//! `racetrap hunt`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use miette::{Report, miette};
use racetrap_search::{Signature, hunt as plans};
use tokio::time::Instant;

use super::exit::{Exit, Failure};
use super::format::Format;
use super::judge::judged;
use super::search::{Begun, Queue, SubjectArgs, duration, run_plans};
use super::search_end::Ending;
use super::search_log::{SearchLog, StateArgs};
use crate::bundle::LoadedBundle;
use crate::derived::{JOURNAL, Rebuilt};
use crate::known::KnownFailures;
use crate::report::{Pairs, Terminal, tell};
use crate::search::{Enough, Limits, Planned};

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
    #[command(flatten)]
    state: StateArgs,
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
    let known = KnownFailures::default();
    let log = SearchLog::begin(&args.state, &begun, None, "1/1".to_owned(), &known)?;
    let pairs: Pairs =
        plans.iter().map(|plan| (plan.place.clone(), plan.disturbance.clone())).collect();
    let all = plans.len();
    let (plans, earlier) = log.past().after_worked(plans, &wanted);
    let count = plans.len();
    let removed = BTreeMap::new();
    log.planned(Planned {
        plans: Some(all),
        earlier,
        removed: removed.clone(),
        pairs: pairs.iter().cloned().collect(),
    });
    let limits = Limits {
        until: began + args.time,
        plans: None,
        enough: Enough::Like(wanted),
        jobs: args.subject.jobs.jobs,
        known: known.clone(),
    };
    let queue = Queue { plans: plans.into_iter(), count: Some(count), pairs };
    let mut explored = run_plans(queue, &begun, limits, &log).await;
    // Other failures that were met on the way are not what was asked for.
    explored.failures.retain(|failure| failure.signature == wanted);
    let exit = if explored.failures.is_empty() { Exit::Unknown } else { Exit::Broken };
    let ending = Ending {
        begun: &begun,
        log: &log,
        lessons: &[],
        planned: Some(count),
        earlier,
        removed: &removed,
        known: &known,
        shrink_for: args.shrink_for,
        jobs: args.subject.jobs.jobs,
    };
    ending.end(&explored, exit, format, terminal).await
}

fn read(args: &Args) -> Result<Rebuilt, Failure> {
    let bundle = LoadedBundle::read(&args.bundle, |file| file == JOURNAL);
    judged(&bundle.map_err(|error| Failure::usage(Report::from_err(error)))?, &args.bundle)
}
