//! The engine's API over the documents of a bundle: containers and their logs, images, volumes,
//! networks, events, info and version.
//!
//! - `captured`: everything that the engine answered;
//! - `routes`: from a request to its response; `lookup`: finds objects by name or ID;
//! - `filters`: the filters of lists; `logs`: logs of containers.

mod captured;
mod filters;
mod logs;
mod lookup;
mod routes;
#[cfg(test)]
mod tests;

pub(super) use captured::CapturedEngine;
