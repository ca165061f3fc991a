//! Serves a bundle to kubectl and docker as if its world still ran: an API server and an engine
//! that return what was captured. Every request that would change something is refused, and a
//! request for something that was not captured gets the reason from the manifest.
//!
//! - `world`: the captured world that is served;
//! - `server`: the sockets, with kubeconfig and token for their clients, in a temporary directory;
//! - `connections`: accepts and serves connections;
//! - `request`, `response`: the part of HTTP that API and engine need; `refusal`: refusals that
//!   both give;
//! - `api`: the Kubernetes API over the objects; `engine`: the engine's API over its documents.

mod api;
mod connections;
mod engine;
mod refusal;
mod request;
mod response;
mod server;
mod world;

pub(crate) use server::BundleServer;
pub(crate) use world::{CapturedWorld, is_served};
