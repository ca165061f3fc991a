//! The timeline of a run as one page: it opens from disk, and asks the network for nothing.
//!
//! - `markup`: what stands in the page before its script runs, and without it;
//! - `data`: what the script draws, as JSON;
//! - `script/`, `page.css`: written by hand, put into the page as they are.
//!
//! A policy in the page lets run that one script alone, and lets nothing be fetched; so a payload that
//! found its way into the markup could do nothing.

mod data;
mod markup;

use racetrap_history::{Judgement, Record};

use super::lanes::Chart;

/// A history and its judgement as the text of a `timeline.html`.
#[must_use]
pub fn timeline_page(history: &[Record], judgement: &Judgement) -> String {
    let chart = Chart::of(history, judgement);
    markup::page(history, judgement, &chart).into_string()
}
