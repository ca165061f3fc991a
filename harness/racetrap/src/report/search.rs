//! What `learn` and `search` print.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use racetrap_search::Rule;

use super::terminal::Paint;
use crate::known::KnownSignature;
use crate::search::{Explored, Failure, Lesson, Replay, Shrunk, State, Tally};

/// A failure that a search found, its shortest schedule, and where that is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) failure: Failure,
    /// Nothing if it was not to be shrunk.
    pub(crate) shrunk: Option<Shrunk>,
    pub(crate) replay: Replay,
    /// The command that repeats it, by its file and by its token.
    pub(crate) again: String,
    pub(crate) again_by_token: String,
    /// How often earlier searches of the same daemon have seen it.
    pub(crate) earlier: usize,
}

/// What a search learned, planned and saw.
#[derive(Clone, Debug)]
pub(crate) struct SearchReport<'a> {
    pub(crate) lessons: &'a [Lesson],
    /// How many plans there were; nothing if there is no end of them.
    pub(crate) planned: Option<usize>,
    /// How many of them earlier searches have run.
    pub(crate) earlier: usize,
    pub(crate) removed: &'a BTreeMap<Rule, usize>,
    pub(crate) explored: &'a Explored,
    /// Known failures that the list has and the search has not seen.
    pub(crate) unseen: Vec<&'a KnownSignature>,
    /// The state file and the page, if the search keeps one.
    pub(crate) kept: Option<(PathBuf, PathBuf)>,
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

/// How many workloads the time did not suffice for.
pub(crate) fn unlearned_line(workloads: usize) -> String {
    let plural = if workloads == 1 { " was" } else { "s were" };
    format!("{workloads} workload{plural} not learned from, because the time for that is over")
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

#[expect(clippy::cast_precision_loss, reason = "a count of runs is small")]
pub(super) fn rate(runs: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { runs as f64 * 60.0 / seconds } else { 0.0 }
}

/// A number of ways to fail.
pub(super) fn ways(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} way{plural} to fail")
}

/// The end of a search as text.
pub(crate) fn search(report: &SearchReport<'_>, found: &[Found], paint: Paint) -> String {
    let mut text = String::new();
    for found in found {
        failure(&mut text, found, paint);
    }
    let SearchReport { planned, earlier, removed, explored, unseen, kept, .. } = report;
    for KnownSignature { oracle, check, why, since } in unseen {
        let _ = writeln!(text, "not seen: {oracle} ({check}), known since {since}: {why}");
    }
    let _ = writeln!(text, "{}", plans_line(*planned, removed));
    if *earlier > 0 {
        let _ = writeln!(text, "{earlier} plans were run by earlier searches");
    }
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
         and disturbance; {}, {} known; {} runs showed nothing",
        rate(runs, seconds),
        ways(found.iter().filter(|found| found.failure.known.is_none()).count()),
        found.iter().filter(|found| found.failure.known.is_some()).count(),
        explored.unknowns(),
    );
    if let Some((state, page)) = kept {
        let _ = writeln!(text, "state {}", state.display());
        let _ = writeln!(text, "page {}", page.display());
    }
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
    let Found { failure, shrunk, replay, again, again_by_token, earlier } = found;
    let Failure { signature, known, plan, number, after, reasons, count, evidence, .. } = failure;
    let word = if known.is_some() { paint.doubtful("KNOWN") } else { paint.bad("FAIL") };
    let _ = writeln!(text, "{word} {signature}");
    if let Some(KnownSignature { why, since, .. }) = known {
        let _ = writeln!(text, "  known since {since}: {why}");
    }
    let before = if *earlier > 0 { format!(", {earlier} earlier") } else { String::new() };
    let _ = writeln!(
        text,
        "  {} (plan {number}, after {} s; {count} plans failed like this{before})",
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
    let _ = writeln!(text, "  replay {}", replay.path.display());
    for evidence in evidence {
        let _ = writeln!(text, "  evidence {}", evidence.display());
    }
    let _ = writeln!(text, "  again {again}\n  or {again_by_token}\n");
}

/// What was merged, as text.
pub(crate) fn merged(state: &State, paint: Paint) -> String {
    let mut text = String::new();
    for tally in state.tallies() {
        let Tally { subject, sessions, runs, seconds, pairs, failures, .. } = &tally;
        let _ = writeln!(text, "{}", paint.strong(&subject.to_string()));
        let _ = writeln!(
            text,
            "  {} searches, {runs} plans in {seconds:.0} s, {} of {} pairs covered",
            sessions.len(),
            tally.covered(),
            pairs.len()
        );
        for failure in failures {
            let word = match failure.known {
                Some(_) => paint.doubtful("KNOWN"),
                None => paint.bad("FAIL"),
            };
            let _ = writeln!(text, "  {word} {}, {} times", failure.signature, failure.count);
            if let Some(short) = failure.shortened {
                let _ = writeln!(text, "    again {}", short.again);
            }
        }
    }
    text
}
