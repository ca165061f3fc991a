//! From the target of a request to the route template of the API that the target belongs to.
//!
//! From bottom to top: [`percent`] decodes, [`docker`] and [`kubernetes`] have the templates of one
//! API each, [`target`] picks the API and parses a whole target.

mod docker;
mod kubernetes;
mod percent;
mod target;

#[cfg(test)]
mod tests;

pub(crate) use target::Route;
pub use target::route_templates;
