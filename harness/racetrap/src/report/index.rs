//! All runs of a command as one page: a row per finding and a column per kind of daemon. Each run
//! links to its timeline.

use std::collections::BTreeMap;
use std::path::Path;

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::case::{Case, State, VERDICT};
use super::json::DaemonFacts;
use super::known::nothing_shown;
use super::matrix::CONTROL;
use crate::derived::PAGE;
use crate::timeline::{Inline, policy};

/// Marks the page as written by racetrap.
pub(super) const GENERATOR: &str = "racetrap";

/// Characters that a path may contain but the path of a link may not.
pub(super) const IN_PATH: AsciiSet =
    CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'\\');

const SCRIPT: &str = include_str!("index.js");

/// From how many runs in one cell of the table those that are right are only counted.
const MANY: usize = 8;

/// What the head of the page says about the command.
#[derive(Clone, Debug)]
pub(crate) struct Head<'a> {
    /// The subcommand.
    pub(crate) command: &'a str,
    /// The whole command line, so that it can be repeated.
    pub(crate) line: String,
    /// When the page was written, RFC 3339.
    pub(crate) written: String,
    /// The daemon, if one was run.
    pub(crate) daemon: Option<&'a DaemonFacts>,
}

const STYLE: &str = concat!(include_str!("../timeline/tone.css"), include_str!("index.css"));

/// The text of `index.html` for the runs of a command. `titles` maps findings to their titles;
/// `link` turns the path of evidence into a path relative to the page.
pub(crate) fn index(
    head: &Head<'_>,
    cases: &[Case],
    titles: &BTreeMap<String, String>,
    link: impl Fn(&Path) -> Option<String>,
) -> String {
    let (style, script) = (Inline(STYLE), Inline(SCRIPT));
    let command = head.command;
    let link = |case: &Case| {
        let evidence = case.evidence.as_deref().and_then(&link)?;
        // Without `./`, a browser would take the text before a colon for a protocol.
        Some(format!("./{}/{PAGE}", utf8_percent_encode(&evidence, &IN_PATH)))
    };
    let worst = cases.iter().map(|case| case.state).max().unwrap_or(State::Right);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content=(GENERATOR);
                meta name="command" content=(command);
                meta http-equiv="Content-Security-Policy" content=(policy(&style, Some(&script)));
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "racetrap " (command) }
                style { (style) }
            }
            body {
                header {
                    span class={ "verdict " (class(worst)) } { (sum(worst)) }
                    h1 { "racetrap " (command) }
                    p { (counts(cases)) }
                }
                (facts(head, cases))
                (controls())
                (grid(cases, titles, &link))
                (reasons(cases, &link))
                script { (script) }
            }
        }
    };
    page.into_string()
}

/// Whether [`index`] made this text.
pub(crate) fn is_index(text: &str) -> bool {
    let meta = html! { meta name="generator" content=(GENERATOR); };
    text.contains(&meta.into_string())
}

/// The subcommand that a text of [`index`] was made for.
pub(crate) fn command_of_index(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(r#"<meta name="command" content=""#)?;
    Some(after.split_once('"')?.0)
}

/// The date, the command, the daemon and the engines of the runs.
fn facts(head: &Head<'_>, cases: &[Case]) -> Markup {
    let engines = in_order(cases.iter().filter_map(|case| case.engine.as_deref()));
    html! {
        dl.facts {
            dt { "written" } dd { time datetime=(head.written) { (head.written) } }
            dt { "command" } dd { code { (head.line) } }
            @if let Some(DaemonFacts { program, version, .. }) = head.daemon {
                dt { "daemon" } dd { (program) ", " (version) }
            }
            @if !engines.is_empty() { dt { "engine" } dd { (engines.join("; ")) } }
        }
    }
}

/// Hidden until the script works, because they do nothing without it.
fn controls() -> Markup {
    html! {
        div.controls hidden {
            label { input #wrong type="checkbox"; " only what is not right" }
            label {
                "sorted by "
                select #sort {
                    @for (value, text) in [
                        ("order", "order of the runs"), ("name", "finding"), ("state", "worst first"), ("time", "slowest first"),
                    ] { option value=(value) { (text) } }
                }
            }
        }
    }
}

/// The state's class in the style sheet.
fn class(state: State) -> &'static str {
    match state {
        State::Right => "pass",
        State::NotApplicable => "inapplicable",
        State::Known => "known",
        State::Unknown => "unknown",
        State::Wrong => "fail",
    }
}

fn sum(worst: State) -> &'static str {
    match worst {
        State::Right => "ok",
        State::NotApplicable => "not applicable",
        State::Known => "known",
        State::Unknown => "unknown",
        State::Wrong => "wrong",
    }
}

/// A sign, so that colour is not the only difference.
fn sign(state: State) -> &'static str {
    match state {
        State::Right => "✓",
        State::NotApplicable => "–",
        State::Known => "!",
        State::Unknown => "?",
        State::Wrong => "✗",
    }
}

fn counts(cases: &[Case]) -> String {
    let count = |state| cases.iter().filter(|case| case.state == state).count();
    let mut text = format!(
        "{} runs: {} as they must be, {} wrong, {} unknown",
        cases.len(),
        count(State::Right),
        count(State::Wrong),
        count(State::Unknown)
    );
    for (state, word) in [(State::Known, "known"), (State::NotApplicable, "not applicable")] {
        let count = count(state);
        if count > 0 {
            text += &format!(", {count} {word}");
        }
    }
    let repaired = cases.iter().filter(|case| case.repaired).count();
    if repaired > 0 {
        text += &format!("; {repaired} repaired");
    }
    if let Some(nothing) = nothing_shown(cases) {
        text += &format!("; {nothing}");
    }
    let controls: Vec<_> = cases.iter().filter(|case| case.column == CONTROL).collect();
    if !controls.is_empty() {
        let alarms = controls.iter().filter(|case| case.state == State::Wrong).count();
        text += &format!("; {alarms} false alarms in {} control runs", controls.len());
    }
    text
}

/// The table. Findings and columns keep the order of the cases; several rounds share a cell.
fn grid(
    cases: &[Case],
    titles: &BTreeMap<String, String>,
    link: &impl Fn(&Case) -> Option<String>,
) -> Markup {
    let columns = in_order(cases.iter().map(|case| case.column.as_ref()));
    let findings = in_order(cases.iter().map(|case| case.finding.as_str()));
    html! {
        table {
            thead { tr { th scope="col" { "finding" } @for column in &columns { th scope="col" { (column) } } } }
            tbody {
                @for (order, finding) in findings.into_iter().enumerate() {
                    @let own: Vec<_> = cases.iter().filter(|case| case.finding == finding).collect();
                    @let worst = own.iter().map(|case| case.state).max().unwrap_or(State::Right);
                    tr data-order=(order) data-name=(finding) data-state=(worst as u8)
                        data-bad=(u8::from(own.iter().any(|case| case.state.is_bad())))
                        data-seconds=(own.iter().map(|case| case.seconds).sum::<f64>()) {
                        th scope="row" {
                            b { (finding) } " "
                            @if let Some(title) = titles.get(finding) { span { (title) } }
                        }
                        @for column in &columns {
                            td {
                                (rounds(own.iter().copied().filter(|case| case.column.as_ref() == *column), link))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The runs in one cell of the table. Of several, each has its path; if there are many, those that are
/// right and left nothing are only counted.
fn rounds<'a>(
    cases: impl Iterator<Item = &'a Case>,
    link: &impl Fn(&Case) -> Option<String>,
) -> Markup {
    let cases: Vec<_> = cases.collect();
    let is_counted = |case: &&&Case| {
        cases.len() >= MANY && case.state == State::Right && case.evidence.is_none()
    };
    let counted: Vec<_> = cases.iter().filter(is_counted).collect();
    let seconds: f64 = counted.iter().map(|case| case.seconds).sum();
    html! {
        @for case in cases.iter().filter(|case| !is_counted(case)) {
            (cell(case, link(case), cases.len() > 1))
        }
        @if !counted.is_empty() {
            span.cell.pass {
                span.sign { (sign(State::Right)) }
                span.word { (counted.len()) " × " (counted[0].word) }
                span.seconds { (format!("{seconds:.1} s")) }
            }
        }
    }
}

fn in_order<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// The verdict of a run, linked to its timeline if that was kept.
fn cell(case: &Case, link: Option<String>, has_path: bool) -> Markup {
    let shown = html! {
        span.sign { (sign(case.state)) }
        span.word {
            (case.word)
            // In a matrix the column already names the defect.
            @if case.column == VERDICT && !case.defects.is_empty() {
                span.defects { " under " (case.defects.join(", ")) }
            }
            @if has_path && let Some(evidence) = case.evidence_name() { span.path { (evidence) } }
        }
        span.seconds { (format!("{:.1} s", case.seconds)) }
    };
    let class = format!("cell {}", class(case.state));
    html! {
        @if let Some(link) = link { a class=(class) href=(link) title=(case.name) { (shown) } }
        @else { span class=(class) title=(case.name) { (shown) } }
    }
}

/// The reasons of each run that is not as it must be, and below them those of runs that are known to
/// fail, not applicable, or repaired.
fn reasons(cases: &[Case], link: &impl Fn(&Case) -> Option<String>) -> Markup {
    let is_rest =
        |case: &&Case| case.repaired || matches!(case.state, State::NotApplicable | State::Known);
    let bad: Vec<_> = cases.iter().filter(|case| case.state.is_bad()).collect();
    let rest: Vec<_> = cases.iter().filter(is_rest).collect();
    html! {
        @for (title, cases) in [("Not as they must be", bad), ("Known, repaired or not applicable", rest)] {
            @if !cases.is_empty() {
                section {
                    h2 { (title) }
                    @for case in cases { (article(case, link(case))) }
                }
            }
        }
    }
}

/// The reasons of one run.
fn article(case: &Case, link: Option<String>) -> Markup {
    html! {
        article class=(class(case.state)) {
            h3 {
                @if let Some(link) = link { a href=(link) { (case.finding) } }
                @else { (case.finding) }
                " " (case.name)
            }
            @if let Some(evidence) = case.evidence_name() {
                span.path { (evidence) ", " (format!("{:.1} s", case.seconds)) }
            }
            ul { @for reason in &case.reasons { li { (reason) } } }
            code { (case.again) }
        }
    }
}
