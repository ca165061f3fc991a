//! The schedule of a scenario in words.
//!
//! - `lines`: the story in a few lines: which messages were held, what was done meanwhile, and
//!   which faults were injected;
//! - `step`: every kind of step in words; `users`, `clients`, `faults`, `waits`: the steps of these
//!   parts;
//! - `messages`: which messages and writes a step is about.

mod clients;
mod faults;
mod lines;
mod messages;
mod step;
mod users;
mod waits;

pub(crate) use lines::{StoryLine, story};
pub(crate) use step::in_words;
