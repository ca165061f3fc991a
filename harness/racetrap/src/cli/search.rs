//! `racetrap learn` and `racetrap search`.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use racetrap_history::Scenario;
use racetrap_search::{Checks, Learned, Plan, Plans, Random, Rule, SerialPlans, plan_workloads};
use tokio::time::Instant;

use super::again::Again;
use super::daemon::Daemon;
use super::exit::{Exit, Failure, conclude};
use super::format::Format;
use super::options::{DaemonArgs, DefectArgs, JobsArgs, KnownArgs, WorldArgs, at_least_one};
use super::run::worst;
use super::search_end::{Ending, REPLAYS};
use super::search_log::{SearchLog, StateArgs};
use super::stop::StopListener;
use super::targets::workloads;
use super::{checks, worlds};
use crate::clock::Clock;
use crate::report::{self, Pairs, Terminal, tell};
use crate::run::RunOptions;
use crate::scenario_file;
use crate::search::{
    self as searching, Enough, Explored, Lesson, Limits, Seen, explore, learn_workload,
};

/// What is searched: which daemon, in which worlds, and how many at once.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SubjectArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    #[command(flatten)]
    pub(super) defects: DefectArgs,
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    pub(super) jobs: JobsArgs,
}

/// Arguments that `learn` and `search` share.
#[derive(Clone, Debug, clap::Args)]
struct LearnArgs {
    /// Workloads by name, globs such as `container-*`, or scenario files [default: all workloads]
    #[arg(value_name = "WORKLOAD|FILE")]
    workloads: Vec<String>,
    /// How many times each workload runs without faults before plans are made
    #[arg(long, value_name = "N", default_value = "2", value_parser = at_least_one)]
    learn_runs: NonZeroUsize,
    #[command(flatten)]
    subject: SubjectArgs,
}

/// Arguments of `learn`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct LearnOnlyArgs {
    #[command(flatten)]
    learn: LearnArgs,
    /// Write what was learned to this file, for `search --learned`
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Begin no run after this time, such as 90s or 10m [default: no limit]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
}

/// Arguments of `search`.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("drawn").args(["random", "serial"]))]
pub(super) struct Args {
    #[command(flatten)]
    learn: LearnArgs,
    /// Disturb workloads at each place that a run without faults has shown [default]
    #[arg(long, conflicts_with_all = ["random", "serial", "seed"])]
    systematic: bool,
    /// Let a seed decide what users do, what goes wrong, and when; takes no workload
    #[arg(long, conflicts_with = "workloads")]
    random: bool,
    /// Stop each message between daemon and engine, and let one at a time go on, in orders that a seed
    /// decides
    #[arg(long)]
    serial: bool,
    /// How many orderings a race needs that `--serial` looks for; most need 2 or 3
    #[arg(long, value_name = "D", default_value = "3", value_parser = clap::value_parser!(u32).range(1..), requires = "serial")]
    depth: u32,
    /// Plan with what `learn --write` has written instead of learning anew, also from another revision of
    /// the daemon
    #[arg(long, value_name = "FILE", conflicts_with_all = ["random", "serial", "workloads"])]
    learned: Option<PathBuf>,
    /// Decides every plan of `--random` or `--serial` [default: the date]
    #[arg(long, value_name = "S", requires = "drawn")]
    seed: Option<u64>,
    /// Run only the I-th of N parts of the plans, such as 1/4
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// Begin no plan after this time, such as 90s, 10m or 8h; learning counts, and takes at most half of it
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = duration)]
    time: Duration,
    /// Run no more plans than this
    #[arg(long, value_name = "N")]
    plans: Option<usize>,
    /// Begin no plan after the first failure
    #[arg(long)]
    first: bool,
    /// How long each failure may be repeated and its schedule be shortened; 0s leaves it as it is
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    shrink_for: Duration,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    known: KnownArgs,
    /// End each plan with fresh requests and with a restart of the daemon, which must change nothing; without
    /// this, a plan has one of the two
    #[arg(long)]
    healing: bool,
    /// Run nothing; write the plans as scenario files to this directory, in their order
    #[arg(long, value_name = "DIR")]
    write_plans: Option<PathBuf>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected a time such as 90s or 10m".to_owned())
}

/// What every command of this file begins with.
pub(super) struct Begun {
    pub(super) options: RunOptions,
    pub(super) again: Again,
    pub(super) daemon: report::DaemonFacts,
    /// Ends the runs at a signal; dropped, it does not listen any more.
    _listener: StopListener,
}

impl Begun {
    /// Finds the daemon and checks the machine.
    pub(super) async fn new(args: &SubjectArgs, defects: &[String]) -> Result<Self, Failure> {
        let SubjectArgs { daemon, world, jobs, .. } = args;
        let deadlines = world.deadlines()?;
        let listener = StopListener::begin(deadlines.harness())?;
        let daemon = Daemon::find(daemon)?;
        let answers = daemon.ask().await;
        answers.check_defects(defects)?;
        checks::demand(world.engine()).await?;
        let options = world.run_options(&daemon, defects, deadlines, listener.stop())?;
        let options = RunOptions { pool: jobs.pool(), ..options };
        let again = Again::new(world, &daemon);
        Ok(Self { options, again, daemon: daemon.facts(&answers), _listener: listener })
    }
}

/// Learns from all workloads, so many at once as there may be runs; from those that an earlier search has
/// learned from, without a run. No run begins after `until`.
async fn lessons(
    args: &LearnArgs,
    workloads: &[Scenario],
    begun: &Begun,
    log: Option<&SearchLog>,
    until: Option<Instant>,
) -> Vec<Lesson> {
    use futures::StreamExt as _;
    let runs = args.learn_runs.get();
    let lessons = workloads.iter().map(|workload| async move {
        if let Some(known) = log.and_then(|log| log.past().learned(workload, runs)) {
            return Some(Lesson::known(known));
        }
        let lesson = learn_workload(workload, args.learn_runs, &begun.options, until).await?;
        tell(&report::lesson_line(&lesson));
        if let Some(log) = log {
            log.learned(&lesson, runs);
        }
        Some(lesson)
    });
    let lessons = futures::stream::iter(lessons).buffered(args.subject.jobs.jobs.get());
    let lessons: Vec<_> = lessons.filter_map(|lesson| async { lesson }).collect().await;
    match workloads.len() - lessons.len() {
        0 => {}
        left => tell(&report::unlearned_line(left)),
    }
    lessons
}

/// Runs workloads without faults, and prints where the daemon can be disturbed.
pub(super) async fn learn(
    args: LearnOnlyArgs,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let workloads = workloads(&args.learn.workloads)?;
    let begun = Begun::new(&args.learn.subject, &args.learn.subject.defects.defects).await?;
    let until = args.time.map(|time| Instant::now() + time);
    let lessons = lessons(&args.learn, &workloads, &begun, None, until).await;
    let is_cut = lessons.len() < workloads.len();
    let closed = worlds::close(&begun.options.pool).await;
    let written = match &args.write {
        Some(path) => write_learned(path, &lessons),
        None => Ok(()),
    };
    let told = terminal.write(&match format {
        Format::Human => report::lessons(&lessons),
        Format::Json => report::lessons_json(&begun.daemon, &lessons),
    });
    let cut = if is_cut { Exit::Unknown } else { Exit::Success };
    let exit = worst([exit_of_lessons(&lessons), cut, closed].into_iter());
    conclude(exit, [told.map_err(Failure::from), written])
}

fn write_learned(path: &Path, lessons: &[Lesson]) -> Result<(), Failure> {
    let learned: Vec<_> = lessons.iter().filter_map(|lesson| lesson.learned.as_ref()).collect();
    let text = serde_json::to_string(&learned).into_diagnostic();
    text.and_then(|text| std::fs::write(path, text).into_diagnostic())
        .wrap_err_with(|| format!("{} could not be written", path.display()))
        .map_err(Failure::machine)
}

fn read_learned(path: &Path) -> Result<Vec<Learned>, Failure> {
    let text = std::fs::read_to_string(path).into_diagnostic();
    text.and_then(|text| serde_json::from_str(&text).into_diagnostic())
        .wrap_err_with(|| {
            format!("{} is not a file that `learn --write` has written", path.display())
        })
        .map_err(Failure::usage)
}

fn exit_of_lessons(lessons: &[Lesson]) -> Exit {
    let exits = lessons.iter().flat_map(|lesson| {
        let verdicts = lesson.not_passed.iter().map(|judgement| Exit::from(judgement.verdict));
        verdicts.chain(lesson.errors.first().map(|_| Exit::Unknown))
    });
    worst(exits)
}

/// Plans, runs the plans until the time is over, and shortens what failed.
pub(super) async fn search(
    args: Args,
    format: Format,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let source = Source::new(&args)?;
    let known = args.known.read_for_searches()?;
    let begun = Begun::new(&args.learn.subject, &args.learn.subject.defects.defects).await?;
    if let Some(directory) = &args.write_plans {
        let Planned { plans, count, .. } = planned(&args, source, &begun, None, began).await;
        let most = args.plans.or(count).unwrap_or(PLANS_WRITTEN);
        let written = write_plans(directory, plans.take(most));
        let closed = worlds::close(&begun.options.pool).await;
        return conclude(closed, [written]);
    }
    let shard = args.shard.to_string();
    let log = SearchLog::begin(&args.state, &begun, source.seed(), shard, &known)?;
    let planned = planned(&args, source, &begun, Some(&log), began).await;
    log.planned(planned.as_kept());
    let Planned { plans, count, earlier, removed, lessons, pairs } = planned;
    let limits = Limits {
        until: began + args.time,
        plans: args.plans,
        enough: if args.first { Enough::First } else { Enough::Never },
        jobs: args.learn.subject.jobs.jobs,
        known: known.clone(),
    };
    let jobs = limits.jobs;
    let queue = Queue { plans, count, pairs };
    let explored = run_plans(queue, &begun, limits, &log).await;
    let exit = if explored.has_failed() { Exit::Broken } else { Exit::Success };
    let ending = Ending {
        begun: &begun,
        log: &log,
        lessons: &lessons,
        planned: count,
        earlier,
        removed: &removed,
        known: &known,
        shrink_for: args.shrink_for,
        jobs,
    };
    ending.end(&explored, exit, format, terminal).await
}

/// How many plans are written if there is no end of them and no number is given.
const PLANS_WRITTEN: usize = 100;

/// What a search is going to run.
struct Planned {
    plans: Box<dyn Iterator<Item = Plan>>,
    /// How many there are; nothing if there is no end of them.
    count: Option<usize>,
    /// How many earlier searches have run.
    earlier: usize,
    removed: BTreeMap<Rule, usize>,
    lessons: Vec<Lesson>,
    /// What all plans cover.
    pairs: Pairs,
}

impl Planned {
    /// The same for the state file.
    fn as_kept(&self) -> searching::Planned {
        searching::Planned {
            plans: self.count.map(|count| count + self.earlier),
            earlier: self.earlier,
            removed: self.removed.clone(),
            pairs: self.pairs.iter().cloned().collect(),
        }
    }
}

/// What plans are made of.
enum Source {
    /// A seed alone.
    Random(u64),
    /// Workloads whose messages go on in an order of the seed.
    Serial { workloads: Vec<Scenario>, seed: u64, depth: u32 },
    /// What another search has learned.
    Learned(Vec<Learned>),
    /// Workloads that are still to be run.
    Workloads(Vec<Scenario>),
}

impl Source {
    fn new(args: &Args) -> Result<Self, Failure> {
        let seed = args.seed.unwrap_or_else(|| Clock::start().date());
        if args.random {
            return Ok(Self::Random(seed));
        }
        if let Some(path) = &args.learned {
            return read_learned(path).map(Self::Learned);
        }
        let workloads = workloads(&args.learn.workloads)?;
        Ok(match args.serial {
            true => Self::Serial { workloads, seed, depth: args.depth },
            false => Self::Workloads(workloads),
        })
    }

    fn seed(&self) -> Option<u64> {
        match self {
            Self::Random(seed) | Self::Serial { seed, .. } => Some(*seed),
            Self::Learned(_) | Self::Workloads(_) => None,
        }
    }

    /// The plans that a seed draws, without end; nothing if there is no seed.
    fn drawn(&self) -> Option<Box<dyn Iterator<Item = Plan>>> {
        match self {
            Self::Random(seed) => Some(Box::new(Random::new(*seed))),
            Self::Serial { workloads, seed, depth } => {
                Some(Box::new(SerialPlans::new(workloads, *seed, *depth)))
            }
            Self::Learned(_) | Self::Workloads(_) => None,
        }
    }
}

async fn planned(
    args: &Args,
    source: Source,
    begun: &Begun,
    log: Option<&SearchLog>,
    began: Instant,
) -> Planned {
    let past = log.map(|log| Rc::clone(log.past())).unwrap_or_default();
    let Shard { part, of } = args.shard;
    let checks = if args.healing { Checks::Both } else { Checks::Either };
    if let (Some(seed), Some(drawn)) = (source.seed(), source.drawn()) {
        tell(&format!("plans are drawn by the seed {seed}"));
        let drawn = drawn.skip(part - 1).step_by(of).map(move |plan| plan.checked(checks));
        return Planned {
            plans: Box::new(past.before_endless(drawn, move |plan| plan.part(of) == part - 1)),
            count: None,
            earlier: 0,
            removed: BTreeMap::new(),
            lessons: Vec::new(),
            pairs: Pairs::new(),
        };
    }
    let is_read = matches!(source, Source::Learned(_));
    let (lessons, learned) = match source {
        Source::Random(_) | Source::Serial { .. } => (Vec::new(), Vec::new()),
        Source::Learned(learned) => (Vec::new(), learned),
        Source::Workloads(workloads) => {
            let until = Some(began + args.time / 2);
            let lessons = lessons(&args.learn, &workloads, begun, log, until).await;
            let learned = lessons.iter().filter_map(|lesson| lesson.learned.clone()).collect();
            (lessons, learned)
        }
    };
    // What was learned elsewhere says nothing of this daemon's undisturbed runs.
    let Plans { plans, removed } = plan_workloads(&learned, is_read);
    // Parts are made by the plans' identities: other machines may have learned other places.
    let plans = plans.into_iter().map(|plan| plan.checked(checks));
    let own: Vec<_> = plans.filter(|plan| plan.part(of) == part - 1).collect();
    let pairs = own.iter().map(|plan| (plan.place.clone(), plan.disturbance.clone())).collect();
    let (order, earlier) = past.order(own);
    let count = order.len();
    tell(&report::plans_line(Some(count), &removed));
    Planned { plans: Box::new(order), count: Some(count), earlier, removed, lessons, pairs }
}

/// A part of all plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    /// From 1.
    part: usize,
    of: usize,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part, of }),
            Some(_) | None => Err("expected a part and a number of parts, such as 1/4"),
        }
    }
}

/// Plans in the order in which they are run.
pub(super) struct Queue<P> {
    pub(super) plans: P,
    /// How many there are; nothing if there is no end of them.
    pub(super) count: Option<usize>,
    /// What they cover together with those that earlier searches have run.
    pub(super) pairs: Pairs,
}

/// Runs the plans, and tells of each new failure at once.
pub(super) async fn run_plans(
    queue: Queue<impl Iterator<Item = Plan>>,
    begun: &Begun,
    limits: Limits,
    log: &SearchLog,
) -> Explored {
    let Queue { plans, count, pairs } = queue;
    let defects = &begun.options.defects;
    let place = begun.options.evidence.join(REPLAYS);
    let again = |plan: &Plan| {
        let path = place.join(format!("{}.yaml", plan.scenario.finding));
        begun.again.command(&path.to_string_lossy(), defects, false)
    };
    let covered = log.past().covered().clone();
    let most = limits.plans.map(|most| count.map_or(most, |count| count.min(most)));
    let progress = report::SearchProgress::new(most.or(count), pairs, covered, limits.until);
    let observe = |seen: Seen<'_>| {
        log.seen(&seen);
        let earlier = seen.failure.map(|(failure, _)| log.past().times(&failure.signature));
        progress.seen(&seen, earlier.unwrap_or_default());
    };
    progress.until(explore(plans, &begun.options, limits, again, observe)).await
}

/// Writes each plan as a file whose name begins with its place in the order.
fn write_plans(directory: &Path, plans: impl Iterator<Item = Plan>) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        for (number, plan) in plans.enumerate() {
            let text = scenario_file::to_yaml(&plan.scenario)?;
            let name = format!("{:05}-{}.yaml", number + 1, plan.scenario.finding);
            std::fs::write(directory.join(name), format!("# {}\n{text}", plan.title()))?;
        }
        Ok(())
    };
    write().into_diagnostic().wrap_err("the plans could not be written").map_err(Failure::machine)
}
