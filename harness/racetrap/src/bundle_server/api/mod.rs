//! The Kubernetes API over the objects of a bundle: discovery, get, list, and watches without any
//! change.
//!
//! - `captured`: everything that the API server answered; `discovery`: the resources that it
//!   served;
//! - `routes`: from a request to its response; `selector`: label and field selectors;
//! - `status`: refusals in the form that clients of a Kubernetes API show.

mod captured;
mod discovery;
mod routes;
mod selector;
mod status;
#[cfg(test)]
mod tests;

pub(super) use captured::CapturedApi;
pub(super) use status::check_token;
