//! The log contains no panic, no secret, and no error without a cause.
//!
//! - `complaint`: what an error says; `objects`: of which object of the engine;
//! - `causes`: what the history knows that may explain it; `reason`: which kinds of errors each explains.

mod causes;
mod complaint;
mod objects;
mod oracle;
mod reason;

pub(super) use self::complaint::is_about_configuration;
pub use self::oracle::quiet_logs;
