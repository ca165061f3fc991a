//! A condition, and a command that returned, imply the state that they promise.

mod app;
mod command;
mod oracle;
mod reasons;
mod stop;

pub use self::oracle::truthful_conditions;
