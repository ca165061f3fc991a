//! What standard error shows while a search goes on: one line that changes if it is a terminal, and otherwise
//! a line every 30 s.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::ProgressBar;
use racetrap_history::Verdict;
use tokio::time::Instant;

use super::progress::{QUIET, bar, rounded};
use super::search::{rate, ways};
use super::terminal::tell;
use crate::clock::meanwhile;
use crate::search::Seen;

/// How often the line on a terminal is written anew while nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// Places with disturbances.
pub(crate) type Pairs = BTreeSet<(String, String)>;

/// What is done, and how long the rest may take.
#[derive(Debug)]
pub(crate) struct SearchProgress {
    bar: ProgressBar,
    counts: RefCell<Counts>,
}

#[derive(Debug)]
struct Counts {
    planned: Option<usize>,
    /// What all plans cover, those included that earlier searches have run.
    pairs: Pairs,
    covered: Pairs,
    began: Instant,
    until: Instant,
    runs: usize,
    failures: usize,
    known: usize,
    unknown: usize,
}

impl SearchProgress {
    /// Of `planned` plans, until `until`. `covered` is what earlier searches have covered.
    pub(crate) fn new(
        planned: Option<usize>,
        pairs: Pairs,
        covered: Pairs,
        until: Instant,
    ) -> Self {
        let began = Instant::now();
        let (runs, failures, known, unknown) = (0, 0, 0, 0);
        let counts =
            Counts { planned, pairs, covered, began, until, runs, failures, known, unknown };
        let bar = bar(planned, "{spinner} [{elapsed_precise}] {wide_msg}");
        Self { bar, counts: RefCell::new(counts) }
    }

    /// Counts a run, and tells of a new failure at once. `earlier` is how often earlier searches have seen
    /// it.
    pub(crate) fn seen(&self, seen: &Seen<'_>, earlier: usize) {
        if let Some(line) = self.counts.borrow_mut().add(seen, earlier) {
            self.bar.suspend(|| tell(&line));
        }
        self.bar.set_message(self.counts.borrow().line(Instant::now()));
    }

    /// Waits for `runs`, and meanwhile says how far they are.
    pub(crate) async fn until<T>(&self, runs: impl Future<Output = T>) -> T {
        let period = if self.bar.is_hidden() { QUIET } else { TICK };
        let came = meanwhile(runs, period, || {
            let line = self.counts.borrow().line(Instant::now());
            if self.bar.is_hidden() {
                tell(&line);
            } else {
                self.bar.set_message(line);
            }
        })
        .await;
        self.bar.finish_and_clear();
        came
    }
}

impl Counts {
    /// Counts a run; returns a line about a failure that is new to this search.
    fn add(&mut self, seen: &Seen<'_>, earlier: usize) -> Option<String> {
        self.runs += 1;
        if seen.verdict == Verdict::Unknown {
            self.unknown += 1;
        } else {
            self.covered.insert((seen.plan.place.clone(), seen.plan.disturbance.clone()));
        }
        let (failure, is_first) = seen.failure?;
        if !is_first {
            return None;
        }
        let word = match (&failure.known, earlier) {
            (Some(known), _) => format!("known since {}", known.since),
            (None, 0) => "FOUND".to_owned(),
            (None, times) => format!("FOUND AGAIN, {times} times earlier,"),
        };
        let count = if failure.known.is_some() { &mut self.known } else { &mut self.failures };
        *count += 1;
        let (signature, title) = (&failure.signature, seen.plan.title());
        Some(format!("{word} by plan {}: {signature}: {title}", seen.number))
    }

    fn line(&self, now: Instant) -> String {
        let seconds = now.duration_since(self.began).as_secs_f64();
        let of = self.planned.map(|planned| format!(" of {planned}")).unwrap_or_default();
        // What matters most is first, because a narrow terminal cuts the line.
        let mut line = format!("{}{of} plans, {}", self.runs, ways(self.failures));
        line += &format!(", {} left", rounded(self.left(now)));
        line += &format!(", {:.0} a minute", rate(self.runs, seconds));
        if self.known > 0 {
            line += &format!(", {} known", self.known);
        }
        if self.pairs.is_empty() {
            line += &format!(", {} pairs covered", self.covered.len());
        } else {
            let covered = self.covered.intersection(&self.pairs).count();
            line += &format!(", {covered} of {} pairs covered", self.pairs.len());
        }
        if self.unknown > 0 {
            line += &format!(", {} unknown", self.unknown);
        }
        line
    }

    /// The time that is left, or less if the plans end before.
    fn left(&self, now: Instant) -> Duration {
        let time = self.until.saturating_duration_since(now);
        let done = u32::try_from(self.runs).ok().filter(|done| *done > 0);
        let rest = self.planned.map(|planned| planned.saturating_sub(self.runs));
        match (done, rest.and_then(|rest| u32::try_from(rest).ok())) {
            (Some(done), Some(rest)) => time.min(now.duration_since(self.began) / done * rest),
            _ => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use racetrap_history::Check;
    use racetrap_search::{Plan, Signature};

    use super::*;
    use crate::known::KnownSignature;
    use crate::search::Failure;

    fn plan(place: &str) -> Plan {
        let scenario = serde_json::json!({"finding": "work-a.1", "steps": ["settle"]});
        let plan = serde_json::json!({"workload": "work-a", "policy": "stale", "place": place,
            "disturbance": "cut", "scenario": scenario});
        serde_json::from_value(plan).expect("a plan")
    }

    fn failure(plan: &Plan, known: bool) -> Failure {
        let signature = Signature::from(Check::CreatedAgain);
        let Signature { oracle, check } = signature;
        let (why, since) = (String::new(), "June".to_owned());
        let entry = KnownSignature { oracle, check, why, since };
        Failure {
            signature,
            known: known.then_some(entry),
            plan: plan.clone(),
            number: 1,
            after: Duration::ZERO,
            order: Vec::new(),
            reasons: Vec::new(),
            count: 1,
            evidence: Vec::new(),
        }
    }

    fn pairs(places: &[&str]) -> Pairs {
        places.iter().map(|place| ((*place).to_owned(), "cut".to_owned())).collect()
    }

    // Four of ten plans in 30 s leave 45 s at this rate, and the time would last longer. What an earlier
    // search has covered counts, and a place that no plan has does not.
    #[tokio::test]
    async fn the_line_says_how_far_the_search_is() {
        let now = Instant::now();
        let until = now + Duration::from_secs(600);
        let progress =
            SearchProgress::new(Some(10), pairs(&["a", "b", "c"]), pairs(&["c", "x"]), until);
        let mut counts = progress.counts.borrow_mut();
        let (here, there) = (plan("a"), plan("b"));
        let mut said = Vec::new();
        for (plan, verdict, failure) in [
            (&here, Verdict::Pass, None),
            (&here, Verdict::Fail, Some((&failure(&here, false), true))),
            (&here, Verdict::Fail, Some((&failure(&here, false), false))),
            (&there, Verdict::Unknown, None),
        ] {
            let after = Duration::ZERO;
            let seen = Seen { plan, number: 2, verdict, why: None, after, failure };
            said.extend(counts.add(&seen, 0));
        }
        assert_eq!(said, ["FOUND by plan 2: counts (4.2.13-created-again): work-a: cut, a"]);
        let line = counts.line(counts.began + Duration::from_secs(30));
        let expected =
            "4 of 10 plans, 1 way to fail, 45 s left, 8 a minute, 2 of 3 pairs covered, 1 unknown";
        assert_eq!(line, expected);
    }

    #[tokio::test]
    async fn a_failure_that_is_known_or_was_seen_earlier_is_told_apart() {
        let now = Instant::now();
        let progress = SearchProgress::new(None, Pairs::new(), Pairs::new(), now);
        let mut counts = progress.counts.borrow_mut();
        let plan = plan("a");
        let mut said = |known, earlier| {
            let failure = failure(&plan, known);
            let after = Duration::ZERO;
            let failure = Some((&failure, true));
            let seen =
                Seen { plan: &plan, number: 2, verdict: Verdict::Fail, why: None, after, failure };
            counts.add(&seen, earlier).expect("a line")
        };
        assert!(said(true, 3).starts_with("known since June by plan 2"));
        assert!(said(false, 3).starts_with("FOUND AGAIN, 3 times earlier, by plan 2"));
        let line = counts.line(now);
        assert!(
            line.contains("1 way to fail, 0.0 s left, 0 a minute, 1 known, 1 pairs covered"),
            "{line}"
        );
    }
}
