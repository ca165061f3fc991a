//! The tests of the catalogue: run each finding on the correct daemon, with its own defect, with an
//! unrelated defect, and as a control run.
//!
//! Every test calls [`check`]. The catalogue itself is data in this package's directory
//! `catalogue`.

mod check;
mod nextest;

pub use check::{CheckError, check};
pub use nextest::NextestError;
pub use racetrap::matrix::DaemonKind;
