//! Failures of a daemon that are known: a run that fails only as listed is told apart from one that
//! fails in a new way.
//!
//! - `file`: reads the list, and says in which line it is wrong;
//! - `comparison`: compares a judgement with the list.

mod comparison;
mod file;

pub(crate) use comparison::{KnownState, Repair};
pub(crate) use file::{KnownFailure, KnownFailures, KnownSignature};
