//! The timeline of one run: functions from a history and its judgement to text.
//!
//! - `page`: one page for a browser; `policy`: what the page may do there;
//! - `trace`: the same for viewers of traces; `lanes`: the rows that page and trace both show;
//! - `story`: the schedule in a few lines: what was held, and what was done meanwhile.

mod lanes;
mod page;
mod policy;
mod story;
mod trace;

pub use page::timeline_page;
pub(crate) use policy::{Inline, policy};
pub(crate) use story::{StoryLine, story};
pub use trace::trace;
