//! A condition is true when the daemon reports it, and a command's exit code and text are true.

mod app;
mod command;
mod kubernetes;
mod oracle;
mod reasons;
mod settled;
mod stop;

pub use self::oracle::truthful_conditions;
