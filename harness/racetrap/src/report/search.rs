//! What `learn` and `search` print.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use racetrap_history::Verdict;
use racetrap_search::{Policy, Rule};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::json::DaemonFacts;
use super::terminal::{Paint, tell};
use crate::search::{Explored, Failure, Lesson, Seen, Shrunk};

/// The version of the objects of `learn` and `search`.
const VERSION: u32 = 1;

/// A failure that a search found, its shortest schedule, and where that is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) failure: Failure,
    /// Nothing if it was not to be shrunk.
    pub(crate) shrunk: Option<Shrunk>,
    pub(crate) replay: PathBuf,
    /// The command that repeats it.
    pub(crate) again: String,
}

/// What a search learned, planned and saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchReport<'a> {
    pub(crate) lessons: &'a [Lesson],
    /// How many plans there were; nothing if there is no end of them.
    pub(crate) planned: Option<usize>,
    pub(crate) removed: &'a BTreeMap<Rule, usize>,
    pub(crate) explored: &'a Explored,
}

/// One line about a workload, as soon as it was learned from.
pub(crate) fn lesson_line(lesson: &Lesson) -> String {
    let name = &lesson.workload.finding;
    let failed = lesson.not_passed.first();
    match (&lesson.learned, failed) {
        (Some(learned), None) => {
            let (sites, unstable) = (learned.sites.len(), learned.unstable.len());
            format!("learned {name}: {sites} places, {unstable} that not every run has")
        }
        (_, Some(judgement)) => {
            let why = crate::matrix::reasons(judgement).next().unwrap_or_default();
            format!("learned {name}: {} without any fault: {why}", judgement.verdict)
        }
        (None, None) => {
            let why = lesson.errors.first().map_or("no run", String::as_str);
            format!("{name}: nothing was learned: {why}")
        }
    }
}

/// How many plans there are, and how many each rule removed.
pub(crate) fn plans_line(planned: Option<usize>, removed: &BTreeMap<Rule, usize>) -> String {
    let mut text = planned.map_or("plans without end".to_owned(), |count| format!("{count} plans"));
    for (rule, count) in removed {
        let _ = write!(text, "; removed {count}: {rule}");
    }
    text
}

/// The places of all workloads as text.
pub(crate) fn lessons(lessons: &[Lesson]) -> String {
    let mut text = String::new();
    for lesson in lessons {
        let _ = writeln!(text, "{}", lesson.workload.finding);
        let Some(learned) = &lesson.learned else {
            let _ = writeln!(text, "  {}", lesson_line(lesson));
            continue;
        };
        for site in &learned.sites {
            let about = site.about.as_deref().map(|about| format!(" of {about}"));
            let _ = writeln!(
                text,
                "  step {:>2}  {}{}{}",
                site.cause + 1,
                site.call.class(),
                if site.nth > 1 { format!(", {}.", site.nth) } else { String::new() },
                about.unwrap_or_default(),
            );
        }
        for unstable in &learned.unstable {
            let (site, runs) = (&unstable.site, unstable.runs);
            let _ = writeln!(
                text,
                "  step {:>2}  {} in {runs} of {} runs",
                site.cause + 1,
                site.call.class(),
                learned.runs
            );
        }
    }
    text
}

/// The places of all workloads as JSON.
pub(crate) fn lessons_json(daemon: &DaemonFacts, lessons: &[Lesson]) -> String {
    let workloads: Vec<_> = lessons
        .iter()
        .map(|lesson| {
            let learned = lesson.learned.as_ref();
            json!({
                "workload": lesson.workload.finding,
                "runs": learned.map_or(0, |learned| learned.runs),
                "sites": learned.map(|learned| &learned.sites),
                "unstable": learned.map(|learned| &learned.unstable),
                "not_passed": lesson.not_passed,
                "errors": lesson.errors,
            })
        })
        .collect();
    printed(&json!({"version": VERSION, "daemon": daemon, "workloads": workloads}))
}

fn printed(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Lines on standard error while a search goes on.
#[derive(Debug)]
pub(crate) struct SearchProgress {
    planned: Option<usize>,
    began: Instant,
    until: Instant,
    last: Instant,
    runs: usize,
    failures: usize,
    unknown: usize,
}

/// Seconds between two lines that say how far a search is.
const EVERY_S: u64 = 10;

impl SearchProgress {
    /// Of `planned` plans, until `until`.
    pub(crate) fn new(planned: Option<usize>, until: Instant) -> Self {
        let now = Instant::now();
        Self { planned, began: now, until, last: now, runs: 0, failures: 0, unknown: 0 }
    }

    /// Tells of a new failure at once, and of the rest from time to time.
    pub(crate) fn seen(&mut self, seen: &Seen<'_>) {
        self.runs += 1;
        self.unknown += usize::from(seen.verdict == Verdict::Unknown);
        if let Some((signature, true)) = &seen.failure {
            self.failures += 1;
            tell(&format!("FOUND by plan {}: {signature}: {}", seen.number, seen.plan.title()));
        }
        if self.last.elapsed().as_secs() >= EVERY_S {
            self.last = Instant::now();
            let (runs, seconds) = (self.runs, self.began.elapsed().as_secs_f64());
            let left = self.until.saturating_duration_since(Instant::now()).as_secs();
            tell(&format!(
                "{runs}{} plans, {:.0} a minute, {} ways to fail, {} unknown, {left} s left",
                self.planned.map(|count| format!(" of {count}")).unwrap_or_default(),
                rate(runs, seconds),
                self.failures,
                self.unknown,
            ));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of runs is small")]
fn rate(runs: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { runs as f64 * 60.0 / seconds } else { 0.0 }
}

/// The end of a search as text.
pub(crate) fn search(report: &SearchReport<'_>, found: &[Found], paint: Paint) -> String {
    let mut text = String::new();
    for found in found {
        failure(&mut text, found, paint);
    }
    let SearchReport { planned, removed, explored, .. } = report;
    let _ = writeln!(text, "{}", plans_line(*planned, removed));
    for ((policy, verdict), count) in &explored.verdicts {
        let _ = writeln!(text, "  {policy}: {count} {verdict}");
    }
    let mut unknown: Vec<_> = explored.unknown.iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (why, count) in unknown.into_iter().take(UNKNOWNS_MAX) {
        let _ = writeln!(text, "  {count} unknown: {}", why.lines().next().unwrap_or_default());
    }
    let (places, pairs) = (places(explored), explored.covered.len());
    let (runs, seconds) = (explored.runs(), explored.took.as_secs_f64());
    let _ = writeln!(
        text,
        "{runs} plans in {seconds:.0} s, {:.0} a minute; {places} kinds of places, {pairs} pairs of place \
         and disturbance; {} ways to fail, {} runs showed nothing",
        rate(runs, seconds),
        found.len(),
        explored.unknowns(),
    );
    text
}

/// How many reasons for unknown runs are printed.
const UNKNOWNS_MAX: usize = 10;

fn places(explored: &Explored) -> usize {
    let places: std::collections::BTreeSet<_> =
        explored.covered.keys().map(|(place, _)| place).collect();
    places.len()
}

fn failure(text: &mut String, found: &Found, paint: Paint) {
    let Found { failure, shrunk, replay, again } = found;
    let Failure { signature, plan, number, after, reasons, count, evidence, .. } = failure;
    let _ = writeln!(text, "{} {signature}", paint.bad("FAIL"));
    let _ = writeln!(
        text,
        "  {} (plan {number}, after {} s; {count} plans failed like this)",
        plan.title(),
        after.as_secs()
    );
    for reason in reasons {
        let _ = writeln!(text, "  {reason}");
    }
    if let Some(Shrunk { scenario, repeated: (failed, of), runs, is_shortest, .. }) = shrunk {
        let _ = writeln!(
            text,
            "  came again in {failed} of {of} runs; {} steps of {} are left after {runs} runs{}",
            scenario.steps.len(),
            plan.scenario.steps.len(),
            if *is_shortest { ", each is needed" } else { ", and the time was over" },
        );
    }
    let _ = writeln!(text, "  replay {}", replay.display());
    for evidence in evidence {
        let _ = writeln!(text, "  evidence {}", evidence.display());
    }
    let _ = writeln!(text, "  again {again}\n");
}

#[derive(Serialize)]
struct FoundJson<'a> {
    signature: &'a racetrap_search::Signature,
    policy: Policy,
    place: &'a str,
    disturbance: &'a str,
    workload: String,
    plan: usize,
    seconds: f64,
    count: usize,
    reasons: &'a [String],
    steps: usize,
    steps_left: Option<usize>,
    repeated: Option<(usize, usize)>,
    shrink_runs: Option<usize>,
    shortest: Option<bool>,
    replay: String,
    evidence: Vec<String>,
    again: &'a str,
}

/// The end of a search as JSON.
pub(crate) fn search_json(
    daemon: &DaemonFacts,
    report: &SearchReport<'_>,
    found: &[Found],
) -> String {
    let SearchReport { lessons, planned, removed, explored } = report;
    let found: Vec<_> = found
        .iter()
        .map(|Found { failure, shrunk, replay, again }| FoundJson {
            signature: &failure.signature,
            policy: failure.plan.policy,
            place: &failure.plan.place,
            disturbance: &failure.plan.disturbance,
            workload: failure.plan.workload.to_string(),
            plan: failure.number,
            seconds: failure.after.as_secs_f64(),
            count: failure.count,
            reasons: &failure.reasons,
            steps: failure.plan.scenario.steps.len(),
            steps_left: shrunk.as_ref().map(|shrunk| shrunk.scenario.steps.len()),
            repeated: shrunk.as_ref().map(|shrunk| shrunk.repeated),
            shrink_runs: shrunk.as_ref().map(|shrunk| shrunk.runs),
            shortest: shrunk.as_ref().map(|shrunk| shrunk.is_shortest),
            replay: replay.to_string_lossy().into_owned(),
            evidence: failure
                .evidence
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect(),
            again,
        })
        .collect();
    let verdicts: Vec<_> = explored
        .verdicts
        .iter()
        .map(|((policy, verdict), count)| json!({"policy": policy, "verdict": verdict, "count": count}))
        .collect();
    let removed: Vec<_> =
        removed.iter().map(|(rule, count)| json!({"rule": rule, "count": count})).collect();
    let covered: Vec<_> = explored
        .covered
        .iter()
        .map(|((place, disturbance), count)| {
            json!({"place": place, "disturbance": disturbance, "count": count})
        })
        .collect();
    let workloads: Vec<_> = lessons.iter().map(|lesson| &lesson.workload.finding).collect();
    printed(&json!({
        "version": VERSION, "daemon": daemon, "workloads": workloads, "planned": planned, "removed": removed,
        "plans": explored.runs(), "seconds": explored.took.as_secs_f64(), "verdicts": verdicts,
        "covered": covered, "unknown": explored.unknown, "found": found,
    }))
}
