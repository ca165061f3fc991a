//! What the daemon promises, and which promises are judged.
//!
//! - `document`: the contract of docs/contract.md as data;
//! - `coverage`: each promise with the oracles that judge it and the findings that exercise it.

mod coverage;
mod document;

pub(crate) use coverage::{Coverage, Covered};
pub use document::{Contract, ContractError};
