//! The markup of the page. Everything but the chart and the list of records is readable without the
//! script.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use racetrap_history::{Judgement, Record, RunHeader, Verdict, What};

use super::data;
use crate::timeline::lanes::Chart;
use crate::timeline::policy::{Inline, policy};
use crate::timeline::story::story;

const STYLE: &str = concat!(include_str!("../tone.css"), include_str!("page.css"));

/// The parts of the script, each after the parts that it uses.
const SCRIPT: &str = concat!(
    include_str!("script/data.js"),
    include_str!("script/scale.js"),
    include_str!("script/chart.js"),
    include_str!("script/list.js"),
    include_str!("script/panel.js"),
    include_str!("script/keys.js"),
);

/// The meaning of each tone, in the order of the legend.
const LEGEND: [(&str, &str); 10] = [
    ("bad", "violation, failure"),
    ("fault", "the scenario’s fault"),
    ("held", "held at a gate"),
    ("plain", "in progress"),
    ("good", "holds"),
    ("off", "does not hold"),
    ("doubt", "differs, warning, in doubt"),
    ("added", "new"),
    ("changed", "changed"),
    ("removed", "gone"),
];

const KEYS: [(&str, &str); 9] = [
    ("← →", "the record before, the next one (of those that the list shows)"),
    ("n, N", "the next violation, the one before"),
    ("+, −", "closer, farther away"),
    ("Shift ← →", "earlier, later"),
    ("0", "the whole run"),
    ("q", "quiet stretches in full, or shortened"),
    ("/", "search the records; Esc leaves the search"),
    ("c", "copy the command that repeats the run"),
    ("?", "these keys"),
];

/// A history and its judgement as the text of a `timeline.html`.
#[must_use]
pub fn timeline_page(history: &[Record], judgement: &Judgement) -> String {
    let chart = Chart::new(history, judgement);
    page(history, judgement, &chart).into_string()
}

fn page(history: &[Record], judgement: &Judgement, chart: &Chart) -> Markup {
    let about = About::from_history(history);
    let (style, script) = (Inline(STYLE), Inline(SCRIPT));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, Some(&script)));
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (judgement.verdict) ": " (about.finding) " " (about.title) }
                style { (style) }
            }
            body {
                (head(&about, judgement.verdict))
                (facts(&about, chart))
                (findings(&about, history, judgement))
                noscript { p { "This page needs its script. The same timeline as text is in timeline.txt beside it." } }
                (timeline())
                (panel())
                (foot())
                (keys())
                script type="application/json" id="drawn" {
                    (PreEscaped(data::drawn(history, judgement, chart)))
                }
                // One JSON object a line, so that the script can parse a single record.
                script type="application/json" id="payloads" { (PreEscaped(data::payloads(history))) }
                script { (script) }
            }
        }
    }
}

/// The facts about a run in its first records.
#[derive(Default)]
struct About<'a> {
    header: Option<&'a RunHeader>,
    finding: String,
    title: String,
    facts: Option<(&'a str, &'a str)>,
}

impl<'a> About<'a> {
    fn from_history(history: &'a [Record]) -> Self {
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
fn head(about: &About<'_>, verdict: Verdict) -> Markup {
    let again = about.header.map_or("", |header| header.again.as_str());
    html! {
        header {
            span class={ "verdict " (verdict) } { (verdict) }
            h1 { span.id { (about.finding) } " " (about.title) }
            // The header of an old journal has no command.
            div.again hidden[again.is_empty()] {
                code #again { (again) }
                button #copy type="button" aria-describedby="again" { "Copy" }
            }
        }
    }
}

fn facts(about: &About<'_>, chart: &Chart) -> Markup {
    let seconds = format!("{:.3} s", chart.end.us as f64 / 1e6);
    html! {
        dl.facts {
            @if let Some(header) = about.header {
                (fact("daemon", &about.facts.map_or(header.daemon.as_str(), |(daemon, _)| daemon)))
                @if !header.defects.is_empty() { (fact("defect", &header.defects.join(", "))) }
                @if let Some((_, engine)) = about.facts { (fact("engine", &engine)) }
                (fact("VM mode", &header.vm))
                (fact("begun", &header.started))
                @if header.reused > 0 { (fact("run in its world", &(header.reused + 1))) }
            }
            (fact("lasted", &seconds))
            (fact("records", &chart.entries.len()))
        }
    }
}

fn fact(name: &str, value: &dyn std::fmt::Display) -> Markup {
    html! { div { dt { (name) } dd { (value.to_string()) } } }
}

/// The scenario, the correct behaviour, and the violations.
fn findings(about: &About<'_>, history: &[Record], judgement: &Judgement) -> Markup {
    let described = about.header.and_then(|header| header.scenario.about.as_ref());
    html! {
        section.findings aria-label="What came out" {
            @if let Some(header) = about.header {
                div {
                    h2 { "What was done" }
                    dl.story {
                        @for (label, what) in story(&header.scenario) { dt { (label) } dd { (what) } }
                    }
                }
            }
            @if let Some(described) = described {
                div {
                    h2 { "What must be so" }
                    p { (described.correct) }
                    h2 { "What this finding is" }
                    p { (described.broken) }
                }
            }
            div.seen {
                h2 { "What was seen" }
                (seen(history, judgement))
            }
        }
    }
}

fn seen(history: &[Record], judgement: &Judgement) -> Markup {
    let Judgement { violations, unknowns, excused, .. } = judgement;
    html! {
        @if violations.is_empty() && unknowns.is_empty() {
            p { "Every promise was kept, and everything needed to judge that was recorded." }
        }
        ul {
            @for violation in violations {
                li.violation {
                    (link(history, violation.seq))
                    span { b { (violation.oracle) } " " (violation.text) }
                }
            }
            @for unknown in unknowns {
                li.unknown {
                    @if let Some(seq) = unknown.seq { (link(history, seq)) }
                    @else { span {} }
                    span { b { "unknown" } " " (unknown.text) }
                }
            }
            @for excused in excused {
                li.excused {
                    span {}
                    span { b { "excused" } " " (excused) }
                }
            }
        }
    }
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

/// The chart with its scrubber, and the list of records below it.
fn timeline() -> Markup {
    html! {
        main {
            div.tools {
                button #closer type="button" title="Closer (+)" { "+" }
                button #farther type="button" title="Farther away (−)" { "−" }
                button #whole type="button" title="The whole run (0)" { "Whole run" }
                label title="Stretches in which nothing happened take little room (q)" {
                    input #short type="checkbox" checked; " shorten quiet stretches"
                }
            }
            div #overview {
                canvas aria-hidden="true" {}
                input #scrubber type="range" min="0" max="1" value="0" step="any"
                    aria-label="Selected instant";
            }
            canvas #axis aria-hidden="true" {}
            div #chart tabindex="0" role="group"
                aria-label="Lanes on one clock. The list of records below holds the same as text." {
                div #labels {}
                canvas aria-hidden="true" {}
            }
            div #tip role="status" hidden {}
            section #records aria-label="Records" {
                div.tools {
                    input #search type="search" placeholder="Search the records" aria-label="Search the records";
                    div #sources role="group" aria-label="Where records come from" {}
                    label title="Records that say little by themselves" {
                        input #quiet type="checkbox"; " quiet ones too"
                    }
                    output #count {}
                }
                div #list tabindex="0" role="listbox" aria-label="Records" { div {} }
            }
            table #print {}
        }
    }
}

/// The panel beside the chart: the mirrors at the selected instant, and the selected record.
fn panel() -> Markup {
    html! {
        aside {
            section #mirrors aria-label="Mirrors at this instant" {
                h2 {}
                p #standing {}
                ul tabindex="0" aria-label="Expected mirrors compared with actual ones" {}
            }
            section #record aria-label="Record" aria-live="polite" {
                h2 {}
                p {}
                pre tabindex="0" {}
            }
        }
    }
}

fn foot() -> Markup {
    html! {
        footer {
            button #help type="button" aria-haspopup="dialog" { "Keys (?)" }
            span { "Click for a record, drag to move, Ctrl and wheel to come closer." }
            ul.legend aria-label="Legend" {
                @for (tone, meaning) in LEGEND { li { i class={ "tone " (tone) } {} (meaning) } }
            }
        }
    }
}

fn keys() -> Markup {
    html! {
        dialog #keys aria-label="Keys" {
            h2 { "Keys" }
            dl { @for (key, does) in KEYS { dt { kbd { (key) } } dd { (does) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}
