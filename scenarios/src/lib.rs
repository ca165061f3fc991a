//! The tests of the catalogue: run each finding on the correct daemon, with its own defect, with an
//! unrelated defect, and as a control run. The tests of the workloads: run each on the correct daemon.
//!
//! Every test calls [`check`] or [`check_workload`]. Catalogue and workloads themselves are data in this
//! package's directories `catalogue` and `workloads`.

mod check;
mod nextest;

pub use check::{CheckError, check, check_workload};
pub use nextest::NextestError;
pub use racetrap::matrix::DaemonKind;
