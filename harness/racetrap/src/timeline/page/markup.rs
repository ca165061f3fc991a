//! The markup of the page. Everything but the chart and the list of records is readable without the
//! script.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use racetrap_history::{Judgement, Record};

use super::beside::Beside;
use super::data;
use super::summary::{About, facts, findings, head};
use super::words::glossary;
use crate::timeline::lanes::Chart;
use crate::timeline::policy::{Inline, policy};

/// The parts of the style, each after the parts that it changes.
const STYLE: &str = concat!(
    include_str!("../tone.css"),
    include_str!("page.css"),
    include_str!("panel.css"),
    include_str!("screen.css"),
);

/// The parts of the script, each after the parts that it uses.
const SCRIPT: &str = concat!(
    include_str!("script/data.js"),
    include_str!("script/scale.js"),
    include_str!("script/words.js"),
    include_str!("script/rows.js"),
    include_str!("script/labels.js"),
    include_str!("script/chart.js"),
    include_str!("script/list.js"),
    include_str!("script/places.js"),
    include_str!("script/panel.js"),
    include_str!("script/panes.js"),
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
    ("doubt", "difference, warning, in doubt"),
    ("added", "new"),
    ("changed", "changed"),
    ("removed", "gone"),
];

const KEYS: [(&str, &str); 14] = [
    ("← →", "the record before, the next one (of those that the list shows)"),
    ("n, N", "the next violation, the one before"),
    ("+, −", "closer, farther away"),
    ("Shift ← →", "earlier, later"),
    ("0", "the whole run"),
    ("q", "quiet stretches in full, or shortened"),
    ("/", "search the records; Esc leaves the search"),
    ("c", "copy the command that repeats the run"),
    ("s", "fold the summary, or show it"),
    ("w", "the words of this page"),
    ("?", "these keys"),
    ("click", "the record at this place of the chart"),
    ("drag", "to another part of the run, or another size of a pane"),
    ("Ctrl wheel", "closer, farther away"),
];

/// A history and its judgement as the text of a `timeline.html` with links to the files beside it.
#[must_use]
pub fn timeline_page(history: &[Record], judgement: &Judgement, beside: &Beside) -> String {
    let chart = Chart::new(history, judgement);
    page(history, judgement, &chart, beside).into_string()
}

fn page(history: &[Record], judgement: &Judgement, chart: &Chart, beside: &Beside) -> Markup {
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
                (facts(&about, chart, beside))
                (findings(&about, history, judgement, beside))
                (separator("summary", "horizontal", "Height of the summary"))
                noscript { p { "This page needs its script. The same timeline as text is in timeline.txt beside it." } }
                (timeline())
                (separator("aside", "vertical", "Width of the panel"))
                (panel())
                (foot())
                (keys())
                (glossary())
                script type="application/json" id="drawn" {
                    (PreEscaped(data::drawn(history, judgement, chart, beside)))
                }
                // One JSON object a line, so that the script can parse a single record.
                script type="application/json" id="payloads" { (PreEscaped(data::payloads(history))) }
                script { (script) }
            }
        }
    }
}

/// The border between two panes, which can be dragged, and moved with the arrow keys.
fn separator(pane: &str, orientation: &str, label: &str) -> Markup {
    html! {
        div.separator #{ "pull-" (pane) } role="separator" tabindex="0" data-pane=(pane)
            aria-orientation=(orientation) aria-label=(label) {}
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
            (separator("names", "vertical", "Width of the names of rows"))
            (separator("list", "horizontal", "Height of the list of records"))
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
            (separator("mirrors", "horizontal", "Height of the mirrors"))
            section #record aria-label="Record" aria-live="polite" {
                h2 {}
                p #about {}
                p #places {}
                pre tabindex="0" {}
            }
        }
    }
}

fn foot() -> Markup {
    html! {
        div #tip role="tooltip" hidden {}
        footer {
            button #help type="button" aria-haspopup="dialog" { "Keys (?)" }
            button #glossary type="button" aria-haspopup="dialog" { "Words (w)" }
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
