//! `learn`, `search` and `merge` for programs.

use std::path::Path;

use racetrap_history::{Check, OracleName};
use racetrap_search::Policy;
use serde::Serialize;
use serde_json::{Value, json};

use super::json::DaemonFacts;
use super::search::{Found, SearchReport};
use crate::known::KnownSignature;
use crate::search::{Lesson, State, Tally};

/// The version of these objects.
const VERSION: u32 = 1;

fn printed(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The places of all workloads.
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

#[derive(Serialize)]
struct FoundJson<'a> {
    signature: &'a racetrap_search::Signature,
    known: Option<&'a KnownSignature>,
    policy: Policy,
    place: &'a str,
    disturbance: &'a str,
    workload: String,
    plan: usize,
    seconds: f64,
    count: usize,
    earlier: usize,
    reasons: &'a [String],
    steps: usize,
    steps_left: Option<usize>,
    repeated: Option<(usize, usize)>,
    shrink_runs: Option<usize>,
    shortest: Option<bool>,
    replay: String,
    token: &'a str,
    evidence: Vec<String>,
    again: &'a str,
}

impl<'a> FoundJson<'a> {
    fn new(found: &'a Found) -> Self {
        let Found { failure, shrunk, replay, again, earlier, .. } = found;
        let shrunk = shrunk.as_ref();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            signature: &failure.signature,
            known: failure.known.as_ref(),
            policy: failure.plan.policy,
            place: &failure.plan.place,
            disturbance: &failure.plan.disturbance,
            workload: failure.plan.workload.to_string(),
            plan: failure.number,
            seconds: failure.after.as_secs_f64(),
            count: failure.count,
            earlier: *earlier,
            reasons: &failure.reasons,
            steps: failure.plan.scenario.steps.len(),
            steps_left: shrunk.map(|shrunk| shrunk.scenario.steps.len()),
            repeated: shrunk.map(|shrunk| shrunk.repeated),
            shrink_runs: shrunk.map(|shrunk| shrunk.runs),
            shortest: shrunk.map(|shrunk| shrunk.is_shortest),
            replay: text(&replay.path),
            token: &replay.token,
            evidence: failure.evidence.iter().map(|path| text(path)).collect(),
            again,
        }
    }
}

/// The end of a search.
pub(crate) fn search_json(
    daemon: &DaemonFacts,
    report: &SearchReport<'_>,
    found: &[Found],
) -> String {
    let SearchReport { lessons, planned, earlier, removed, explored, unseen, kept } = report;
    let found: Vec<_> = found.iter().map(FoundJson::new).collect();
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
    let (state, page) = kept.as_ref().map(|(state, page)| (state, page)).unzip();
    printed(&json!({
        "version": VERSION, "daemon": daemon, "workloads": workloads, "planned": planned, "earlier": earlier,
        "removed": removed, "plans": explored.runs(), "seconds": explored.took.as_secs_f64(),
        "verdicts": verdicts, "covered": covered, "unknown": explored.unknown, "found": found,
        "known_unseen": unseen, "state": state, "page": page,
    }))
}

#[derive(Serialize)]
struct MergedFailure<'a> {
    oracle: OracleName,
    check: Check,
    known: bool,
    count: usize,
    title: String,
    reasons: &'a [String],
    since: &'a str,
    last: &'a str,
    replay: Option<&'a str>,
    token: Option<&'a str>,
    again: Option<&'a str>,
    evidence: &'a [&'a str],
}

fn merged(tally: &Tally<'_>) -> Value {
    let failures: Vec<_> = tally
        .failures
        .iter()
        .map(|failure| MergedFailure {
            oracle: failure.signature.oracle,
            check: failure.signature.check,
            known: failure.known.is_some(),
            count: failure.count,
            title: failure.first.plan.title(),
            reasons: &failure.first.reasons,
            since: failure.since,
            last: failure.last,
            replay: failure.shortened.map(|short| short.replay.as_str()),
            token: failure.shortened.map(|short| short.token.as_str()),
            again: failure.shortened.map(|short| short.again.as_str()),
            evidence: &failure.evidence,
        })
        .collect();
    let seeds: Vec<_> = tally.sessions.iter().filter_map(|session| session.began.seed).collect();
    json!({
        "daemon": tally.subject.daemon, "sha256": tally.subject.sha256, "defects": tally.subject.defects,
        "engine": tally.subject.engine, "vm": tally.subject.vm, "searches": tally.sessions.len(),
        "seeds": seeds, "plans": tally.runs, "seconds": tally.seconds, "covered": tally.covered(),
        "pairs": tally.pairs.len(), "unknown": tally.unknown, "found": failures,
    })
}

/// The states that were merged.
pub(crate) fn merged_json(state: &State, path: &Path, page: &Path) -> String {
    let subjects: Vec<_> = state.tallies().iter().map(merged).collect();
    printed(&json!({"version": VERSION, "state": path, "page": page, "subjects": subjects}))
}
