//! Objects of the daemon's API have the form that their clients rely on.

mod conditions;
mod containers;
mod mirrors;
mod oracle;
mod writes;

pub use self::oracle::object_form;
