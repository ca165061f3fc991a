//! The log has no panic and no secret, and an error only where there was one.

mod causes;
mod oracle;

pub use self::oracle::quiet_logs;
