//! The catalogue's tests: each finding on the correct daemon, under its defect, under another's.
//!
//! [`check`] is what every test calls; the catalogue itself is data beside this package's sources.

mod check;
mod nextest;

pub use check::{Unmet, check};
pub use nextest::NextestError;
pub use racetrap::matrix::DaemonKind;
