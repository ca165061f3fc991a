//! A history as lanes on one clock: the timeline page draws them, and the trace contains them.
//!
//! A lane has rows, and a row has items. An item is a mark at one record, or a bar from one record
//! to another. Two bars of a row overlap only if one is wholly within the other.
//!
//! - `chart`: all lanes of a history; `source`: the records from which the lanes of one daemon are
//!   made;
//! - `item`, `tone`: what a lane consists of; `packing`: puts items into as few rows as possible;
//! - `judged`, `steps`, `wire`, `kubernetes`, `mirrors`, `engine`, `conditions`, `processes`, `log`: the lanes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a lane looks only at the records that it shows"
)]

mod chart;
mod conditions;
mod engine;
mod item;
mod judged;
mod kubernetes;
mod log;
mod mirrors;
mod packing;
mod processes;
mod source;
mod steps;
mod tone;
mod wire;

pub(super) use chart::Chart;
use item::{At, Lane};
pub(super) use item::{Item, Row};
pub(super) use mirrors::Changed;
use packing::pack;
use source::Source;
use tone::Tone;
