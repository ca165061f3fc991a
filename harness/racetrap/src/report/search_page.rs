//! All searches of a state as a page: what failed, how that can be repeated, and what was covered.

use std::collections::{BTreeMap, BTreeSet};

use maud::{DOCTYPE, Markup, html};
use percent_encoding::utf8_percent_encode;
use racetrap_search::call_and_point;

use super::index::{GENERATOR, IN_PATH};
use super::search::{rate, ways};
use super::search_curve::curve;
use crate::derived::PAGE;
use crate::known::KnownFailures;
use crate::search::{FailureTally, KnownNote, State, Tally};
use crate::timeline::{Inline, meaning, policy, story};

const STYLE: &str = concat!(
    include_str!("../timeline/tone.css"),
    include_str!("index.css"),
    include_str!("search.css")
);

const SCRIPT: &str = include_str!("search.js");

/// The points of a call, in the order of the columns.
const POINTS: [&str; 4] = ["request", "response", "frame", "write"];

/// The column of places that are not held at a point.
const WHOLE: &str = "as a whole";

/// How many reasons for unknown runs are shown.
const UNKNOWNS_MAX: usize = 20;

/// What decides how failures are shown.
struct Context<'a> {
    known: Option<&'a KnownFailures>,
    /// Whether a path below the page's directory exists.
    exists: &'a dyn Fn(&str) -> bool,
}

impl Context<'_> {
    /// What is known of a failure: by the given list, or by that of the searches themselves.
    fn note(&self, failure: &FailureTally<'_>) -> Option<KnownNote> {
        let Some(list) = self.known else { return failure.known.cloned() };
        let entry = list.of_search(failure.signature)?;
        Some(KnownNote { why: entry.why.clone(), since: entry.since.clone() })
    }

    /// A link, if there is something to link to.
    fn link(&self, path: &str) -> Option<String> {
        let path = path.to_owned();
        (self.exists)(&path).then(|| {
            let dot = if path.starts_with('/') { "" } else { "./" };
            format!("{dot}{}", utf8_percent_encode(&path, &IN_PATH))
        })
    }
}

/// The text of the page. `written` is the calendar time now; `known` replaces what the searches themselves
/// have known; `exists` says whether there is a file of this path, which may be relative to the page.
pub(crate) fn search_page(
    written: &str,
    state: &State,
    known: Option<&KnownFailures>,
    exists: impl Fn(&str) -> bool,
) -> String {
    let (style, script) = (Inline(STYLE), Inline(SCRIPT));
    let context = Context { known, exists: &exists };
    let tallies = state.tallies();
    let failures = tallies.iter().flat_map(|tally| &tally.failures);
    let (known, new): (Vec<_>, Vec<_>) = failures.partition(|it| context.note(it).is_some());
    let (class, word) = match (new.is_empty(), known.is_empty()) {
        (false, _) => ("fail", "found"),
        (true, false) => ("known", "known"),
        (true, true) => ("pass", "nothing found"),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content=(GENERATOR);
                meta name="command" content="search";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, Some(&script)));
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "racetrap search" }
                style { (style) }
            }
            body {
                header {
                    span class={ "verdict " (class) } { (word) }
                    h1 { "racetrap search" }
                    p { (ways(new.len())) ", " (known.len()) " known" }
                    p { "written " time datetime=(written) { (written) } }
                }
                @for (at, tally) in tallies.iter().enumerate() {
                    @if at == 0 { (subject(tally, &context)) }
                    @else {
                        details.subject {
                            summary { (tally.subject) ", " (ways(tally.failures.len())) }
                            (subject(tally, &context))
                        }
                    }
                }
                script { (script) }
            }
        }
    };
    page.into_string()
}

fn subject(tally: &Tally<'_>, context: &Context<'_>) -> Markup {
    let is_known = |failure: &&FailureTally<'_>| context.note(failure).is_some();
    let (known, new): (Vec<_>, Vec<_>) = tally.failures.iter().partition(is_known);
    html! {
        (facts(tally))
        (curve(&tally.curve, tally.seconds, tally.pairs.len()))
        @for (title, failures) in [("Broken promises", new), ("Known failures", known)] {
            @if !failures.is_empty() {
                section {
                    h2 { (title) }
                    @for failure in failures { (article(failure, context)) }
                }
            }
        }
        (coverage(tally))
        (left_out(tally))
    }
}

/// The daemon, how much was run, and how.
fn facts(tally: &Tally<'_>) -> Markup {
    let sessions = &tally.sessions;
    let seeds: BTreeSet<_> = sessions.iter().filter_map(|session| session.began.seed).collect();
    let seeds: Vec<_> = seeds.iter().map(ToString::to_string).collect();
    let shards: BTreeSet<_> = sessions.iter().map(|session| &*session.began.shard).collect();
    let shards: Vec<_> = shards.into_iter().collect();
    let planned = sessions.iter().filter_map(|session| session.planned.plans).max();
    let unknown: usize = tally.unknown.values().sum();
    let verdicts = tally.verdicts.iter();
    let verdicts: Vec<_> =
        verdicts.map(|((policy, verdict), count)| format!("{policy}: {count} {verdict}")).collect();
    let ends = sessions.first().zip(sessions.last());
    html! {
        dl.facts {
            dt { "searched" } dd { (tally.subject) }
            dt { "plans" }
            dd {
                (tally.runs) " run"
                @if let Some(planned) = planned { ", " (planned) " planned for each search" }
                (format!(", {:.0} a minute on each machine", rate(tally.runs, tally.seconds)))
                @if unknown > 0 { ", " (unknown) " showed nothing" }
            }
            dt { "time" } dd { (hours(tally.seconds)) " of all machines together" }
            dt { "covered" }
            dd { (tally.covered()) " of " (tally.pairs.len()) " pairs of place and disturbance" }
            dt { "verdicts" } dd { (verdicts.join("; ")) }
            @if !seeds.is_empty() { dt { "seeds" } dd { (seeds.join(", ")) } }
            @if let Some((first, last)) = ends {
                dt { "searches" }
                dd {
                    (sessions.len()) ", begun from " (first.began.at) " to " (last.began.at)
                    ", shards " (shards.join(", "))
                }
                dt { "command" } dd { code { (last.began.command) } }
            }
        }
    }
}

fn hours(seconds: f64) -> String {
    match seconds {
        0.0..120.0 => format!("{seconds:.0} s"),
        120.0..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// One way in which the daemon failed.
fn article(failure: &FailureTally<'_>, context: &Context<'_>) -> Markup {
    let FailureTally { signature, count, first, shortened, evidence, after, .. } = failure;
    let note = context.note(failure);
    let class = if note.is_some() { "known" } else { "fail" };
    let scenario = shortened.map_or(&first.plan.scenario, |short| &short.scenario);
    let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
    html! {
        article class={ "failure " (class) } {
            h3 { (signature.oracle) " " span.count { (times) } " " span.check { (signature.check) } }
            @if let Some(KnownNote { why, since }) = note {
                p.known { "Known since " (since) ": " (why) }
            }
            p.promise { (meaning(signature.oracle)) }
            ul.reasons { @for reason in &first.reasons { li { (reason) } } }
            h4 { "What leads to it" }
            dl.steps {
                @for (label, what) in story(scenario) { dt { (label) } dd { (what) } }
            }
            p.faint {
                "Found by " (first.plan.title()) ", in run " (after.0) ", after " (hours(after.1))
                @if failure.since == failure.last { ", in the search of " (failure.since) "." }
                @else { ", in the search of " (failure.since) ", and last in that of " (failure.last) "." }
                @if let Some(short) = shortened {
                    @if let Some((failed, of)) = short.repeated {
                        " It came again in " (failed) " of " (of) " runs."
                    }
                    @if short.scenario.steps.len() < short.steps {
                        " " (short.scenario.steps.len()) " steps of " (short.steps) " are left"
                        @if short.shortest { ", and each is needed." } @else { "." }
                    }
                }
            }
            @if let Some(short) = shortened {
                p.links {
                    @match context.link(&short.replay) {
                        Some(link) => a href=(link) { "replay file" },
                        None => span { "replay file " (short.replay) },
                    }
                    @for path in evidence {
                        @if let Some(link) = context.link(&format!("{path}/{PAGE}")) {
                            " " a.timeline href=(link) { "timeline" }
                        }
                    }
                }
                (copied("repeats it", &short.again))
                (copied("in one line", &short.token))
            }
        }
    }
}

/// A text with a button that copies it, which is hidden until the script works.
fn copied(label: &str, text: &str) -> Markup {
    html! {
        div.copied { span { (label) } code { (text) } button type="button" hidden { "copy" } }
    }
}

/// Disturbances of one place, and how often a run with a verdict had each.
type Disturbances<'a> = Vec<(&'a str, usize)>;

/// What was covered: calls by points, and in each cell the disturbances.
fn coverage(tally: &Tally<'_>) -> Markup {
    let mut rows: BTreeMap<&str, BTreeMap<&str, Disturbances<'_>>> = BTreeMap::new();
    for ((place, disturbance), count) in &tally.pairs {
        let (call, point) = call_and_point(place);
        let call = if call.is_empty() { "undisturbed" } else { call };
        let cell = rows.entry(call).or_default().entry(point.unwrap_or(WHOLE)).or_default();
        cell.push((disturbance, *count));
    }
    let used: BTreeSet<_> = rows.values().flat_map(BTreeMap::keys).copied().collect();
    let listed = POINTS.into_iter().chain([WHOLE]).filter(|point| used.contains(point));
    let others = used.iter().copied().filter(|point| !POINTS.contains(point) && *point != WHOLE);
    let columns: Vec<_> = listed.chain(others).collect();
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Covered: calls of the daemon, points of each, and disturbances there" }
                div.scroll {
                    table.coverage {
                        thead { tr { th scope="col" { "place" } @for point in &columns { th scope="col" { (point) } } } }
                        tbody {
                            @for (call, cells) in &rows {
                                tr {
                                    th scope="row" { (call) }
                                    @for point in &columns {
                                        td { @if let Some(cell) = cells.get(point) { (of_place(cell)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How many of the disturbances were done, and all of them when it is opened.
fn of_place(disturbances: &Disturbances<'_>) -> Markup {
    let done = disturbances.iter().filter(|(_, count)| *count > 0).count();
    let class = match done {
        0 => "none",
        done if done == disturbances.len() => "full",
        _ => "part",
    };
    html! {
        details class=(class) {
            summary { (done) " of " (disturbances.len()) }
            ul {
                @for (disturbance, count) in disturbances {
                    li class=(if *count == 0 { "none" } else { "done" }) {
                        (if disturbance.is_empty() { "nothing" } else { disturbance }) " × " (count)
                    }
                }
            }
        }
    }
}

/// Plans that were removed, and runs that showed nothing.
fn left_out(tally: &Tally<'_>) -> Markup {
    let mut unknown: Vec<_> = tally.unknown.iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    html! {
        @if !tally.removed.is_empty() {
            section {
                h2 { "Plans that were not run, because they can show nothing" }
                ul.counts { @for (rule, count) in &tally.removed { li { b { (count) } " " (rule) } } }
            }
        }
        @if !unknown.is_empty() {
            section {
                h2 { "Runs that showed nothing" }
                ul.counts {
                    @for (why, count) in unknown.iter().take(UNKNOWNS_MAX) { li { b { (count) } " " (why) } }
                    @if unknown.len() > UNKNOWNS_MAX { li { (unknown.len() - UNKNOWNS_MAX) " more reasons" } }
                }
            }
        }
    }
}
