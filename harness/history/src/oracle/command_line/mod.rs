//! A command of the daemon prints what it promises, and ends with the promised code.

mod effects;
mod messages;
mod oracle;
mod outputs;
mod progress;
mod properties;

pub use self::oracle::command_line;
