//! Carries out the steps of a scenario in a world; its only output is the history.
//!
//! - `perform`: one run, from its world to its evidence;
//! - `options`, `outcome`, `error`: what a run needs, what comes of it, and why it may not even begin;
//! - `make`: what a run has before its first step;
//! - `applicable`: whether a scenario is for its daemon at all;
//! - `runner`: hands each step to the part that does it;
//! - `steps`: those parts, one file for each part of the language;
//! - `scene`: the world of a run, as steps use it;
//! - `proof`: why a wait may end before its deadline;
//! - `first_violation`: a run that ends at its first violation;
//! - `step_error`: a step that could not be done, and whose failure that is;
//! - `stop`: what ends a run before its last step;
//! - `reuse`: whether a world can be used again; `turn`: how many runs with guests go on at once;
//! - `evidence`, `cause`: what a run leaves, and why.

mod applicable;
mod cause;
mod error;
mod evidence;
mod first_violation;
mod make;
mod options;
mod outcome;
mod perform;
mod proof;
mod reuse;
mod runner;
mod scene;
mod step_error;
mod steps;
mod stop;
mod turn;

pub use self::error::RunError;
pub use self::first_violation::EndAt;
pub use self::options::RunOptions;
pub use self::outcome::Outcome;
pub(crate) use self::outcome::engine_of;
pub use self::perform::run;
pub(crate) use self::stop::FAIL_FAST;
pub use self::stop::{Stop, StopSender};
