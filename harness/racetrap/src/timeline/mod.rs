//! The timeline of one run: functions from a history and its judgement to the text of a file.
//!
//! - `page`: a page for a browser; `policy`: the Content-Security-Policy of the page;
//! - `trace`: a trace for Perfetto; `lanes`: the rows that page and trace both show;
//! - `story`: the scenario in a few lines: which messages were held, and what was done meanwhile.

mod lanes;
mod page;
mod policy;
mod story;
mod trace;

pub(crate) use page::meaning;
pub use page::{Beside, timeline_page};
pub(crate) use policy::{Inline, policy};
pub(crate) use story::{StoryLine, story};
pub use trace::trace;
