//! Finds races that nobody has listed: learns from histories where a daemon can be disturbed, and plans
//! what to do there. Nothing here runs anything; plans are scenarios of the one language.
//!
//! - [`learn`]: the places at which a workload's daemon can be stopped, from some of its histories.
//! - [`plan_workloads`]: what could go wrong at these places, each as a scenario that can be run by itself.
//! - [`Checks`]: what each plan ends with, whatever was disturbed.
//! - [`Order`]: which plan is run next: the one that differs most from those before.
//! - [`hunt()`]: schedules that may repeat a failure that came by chance.
//! - [`Signature`]: what two failures have in common if they are the same.
//! - [`Shrinking`]: removes steps from a failing scenario as long as it fails in the same way.

#![warn(missing_docs)]

mod call;
mod checks;
mod compared;
mod dark;
mod held;
mod hunt;
mod learned;
mod objects;
mod operation;
mod order;
mod plan;
mod planner;
mod poison;
mod quiet;
mod random;
mod serial;
mod serial_plans;
mod shrink;
mod signature;
mod site;

pub use call::Call;
pub use checks::Checks;
pub use hunt::hunt;
pub use learned::{Learned, Unstable, learn};
pub use order::{Earlier, Order};
pub use plan::{Plan, Policy, call_and_point};
pub use planner::{Plans, Rule, plan_workloads};
pub use quiet::Quiet;
pub use random::Random;
pub use serial::Serial;
pub use serial_plans::SerialPlans;
pub use shrink::Shrinking;
pub use signature::Signature;
pub use site::{Site, USER, is_users};
