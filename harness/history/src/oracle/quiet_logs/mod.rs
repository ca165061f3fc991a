//! The log contains no panic, no secret, and no error without a cause.

mod causes;
mod oracle;

pub use self::oracle::quiet_logs;
