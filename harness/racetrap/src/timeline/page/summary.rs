//! The upper part of the page: the verdict, the facts about the run, its files, what was done, what
//! must be so, and what was seen.

use maud::{Markup, html};
use racetrap_history::{Judgement, Record, RunHeader, Verdict, What};

use super::beside::Beside;
use super::places::step_lines;
use super::words::{oracle, term};
use crate::timeline::lanes::Chart;
use crate::timeline::story::{in_words, story};

/// The index of all runs of a command, which lies above the directories of its runs.
const INDEX: &str = "../index.html";

/// The schedule of the run, as the harness writes it.
pub(super) const SCENARIO: &str = "scenario.yaml";

/// The facts about a run in its first records.
#[derive(Default)]
pub(super) struct About<'a> {
    header: Option<&'a RunHeader>,
    pub(super) finding: String,
    pub(super) title: String,
    facts: Option<(&'a str, &'a str)>,
}

impl<'a> About<'a> {
    pub(super) fn from_history(history: &'a [Record]) -> Self {
        let mut about = Self { finding: "a run without a header".to_owned(), ..Self::default() };
        for record in history.iter().filter(|record| !record.neighbour) {
            if let What::Run(header) = &record.what {
                about.finding = header.finding.to_string();
                about.header = Some(header);
            } else if let What::Facts { daemon_version, engine, .. } = &record.what {
                about.facts = Some((daemon_version, engine));
                break;
            }
        }
        let described = about.header.and_then(|header| header.scenario.about.as_ref());
        about.title = described.map(|described| described.title.clone()).unwrap_or_default();
        about
    }
}

/// The first line: the verdict, the finding, and the command that repeats the run.
pub(super) fn head(about: &About<'_>, verdict: Verdict) -> Markup {
    let again = about.header.map_or("", |header| header.again.as_str());
    html! {
        header {
            span class={ "verdict " (verdict) } { (term(&verdict.to_string())) }
            h1 { span.id { (about.finding) } " " (about.title) }
            // The header of an old journal has no command.
            div.again hidden[again.is_empty()] {
                code #again { (again) }
                button #copy type="button" aria-describedby="again" { "Copy" }
            }
        }
    }
}

pub(super) fn facts(about: &About<'_>, chart: &Chart, beside: &Beside) -> Markup {
    let seconds = format!("{:.3} s", chart.end.us as f64 / 1e6);
    html! {
        div.facts {
            dl {
                @if let Some(header) = about.header {
                    (fact("daemon", &about.facts.map_or(header.daemon.as_str(), |(daemon, _)| daemon)))
                    @if !header.defects.is_empty() {
                        (fact("defect", &header.defects.join(", ")))
                    }
                    @if let Some((_, engine)) = about.facts { (fact("engine", &engine)) }
                    (fact("VM mode", &header.vm))
                    (fact("begun", &header.started))
                    @if header.reused > 0 { (fact("run in its world", &(header.reused + 1))) }
                }
                (fact("lasted", &seconds))
                (fact("records", &chart.entries.len()))
            }
            (ways(beside))
        }
    }
}

fn fact(name: &str, value: &dyn std::fmt::Display) -> Markup {
    html! { div { dt { (term(name)) } dd { (value.to_string()) } } }
}

/// Links to the index and to the files of the run.
fn ways(beside: &Beside) -> Markup {
    html! {
        nav aria-label="Files of this run" {
            a href=(INDEX) title="All runs of the command, if it has ended" { "all runs" }
            @for name in &beside.names {
                a href=(Beside::link(name)) { (name) }
            }
            button #fold type="button" aria-expanded="true" aria-controls="findings"
                title="Fold the summary, or show it (s)" { "Fold summary" }
        }
    }
}

/// The scenario, the correct behaviour, and the violations.
pub(super) fn findings(
    about: &About<'_>,
    history: &[Record],
    judgement: &Judgement,
    beside: &Beside,
) -> Markup {
    let described = about.header.and_then(|header| header.scenario.about.as_ref());
    html! {
        section.findings #findings aria-label="What came out" {
            @if let Some(header) = about.header {
                div tabindex="0" {
                    h2 { "What was done" }
                    dl.story {
                        @for (label, what) in story(&header.scenario) {
                            dt { (term(label)) } dd { (what) }
                        }
                    }
                    (steps(header, history, beside))
                }
            }
            @if let Some(described) = described {
                div tabindex="0" {
                    h2 { "What must be so" }
                    p { (described.correct) }
                    h2 { "What this finding is" }
                    p { (described.broken) }
                }
            }
            div.seen tabindex="0" {
                h2 { "What was seen" }
                (seen(history, judgement))
            }
        }
    }
}

/// Every step in words, with the record in which it begins and its line in the schedule.
fn steps(header: &RunHeader, history: &[Record], beside: &Beside) -> Markup {
    let words = in_words(&header.scenario);
    let lines = beside.texts.get(SCENARIO).map(|yaml| step_lines(yaml, words.len()));
    let lines = lines.unwrap_or_default();
    let begun = |wanted: usize| {
        history
            .iter()
            .find(|record| matches!(&record.what, What::StepBegan { index } if *index == wanted))
    };
    html! {
        details.steps {
            summary { "All " (words.len()) " steps of the schedule" }
            ol {
                @for (index, words) in words.iter().enumerate() {
                    li {
                        @if let Some(record) = begun(index) { (link(history, record.seq)) }
                        @else { span { "not begun" } }
                        " " (words)
                        @if let Some(line) = lines.get(index) {
                            " " a.line-of href=(Beside::link(SCENARIO)) { (SCENARIO) ":" (line) }
                        }
                    }
                }
            }
        }
    }
}

fn seen(history: &[Record], judgement: &Judgement) -> Markup {
    let Judgement { violations, unknowns, excused, .. } = judgement;
    let violations =
        folded(violations, |one, other| one.oracle == other.oracle && one.text == other.text);
    let unknowns = folded(unknowns, |one, other| one.text == other.text);
    html! {
        @if violations.is_empty() && unknowns.is_empty() {
            p { "Every promise was kept, and everything needed to judge that was recorded." }
        }
        ul {
            @for (violation, times) in violations {
                li.violation {
                    (link(history, violation.seq))
                    span { b { (oracle(violation.oracle)) } " " (violation.text) (many(times)) }
                }
            }
            @for (unknown, times) in unknowns {
                li.unknown {
                    @if let Some(seq) = unknown.seq { (link(history, seq)) }
                    @else { span {} }
                    span { b { (term("unknown")) } " " (unknown.text) (many(times)) }
                }
            }
            @for (excused, times) in folded(excused, |one, other| one == other) {
                li.excused {
                    span {}
                    span { b { (term("excused")) } " " (excused) (many(times)) }
                }
            }
        }
    }
}

/// The first of all that are the same, with their number, in the order of the first ones.
fn folded<T>(all: &[T], are_same: impl Fn(&T, &T) -> bool) -> Vec<(&T, usize)> {
    let mut folded: Vec<(&T, usize)> = Vec::new();
    for one in all {
        match folded.iter_mut().find(|(first, _)| are_same(first, one)) {
            Some((_, times)) => *times += 1,
            None => folded.push((one, 1)),
        }
    }
    folded
}

fn many(times: usize) -> Markup {
    html! { @if times > 1 { span.times { " × " (times) } } }
}

/// A link to a record, labelled with its time.
fn link(history: &[Record], seq: u64) -> Markup {
    // The number of a record is its index in the history.
    let index = usize::try_from(seq).unwrap_or(usize::MAX);
    let seconds = history.get(index).map(|record| record.at_us as f64 / 1e6);
    html! {
        a href={ "#r" (seq) } title={ "record " (seq) } {
            @if let Some(seconds) = seconds { (format!("{seconds:.3} s")) } @else { "record " (seq) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    // The order is that of the first ones, and nothing between equal ones is lost.
    #[test]
    fn the_same_reason_is_shown_once_with_its_number() {
        let all = ["late", "lost", "late", "late"];
        assert_eq!(folded(&all, |one, other| one == other), [(&"late", 3), (&"lost", 1)]);
    }
}
