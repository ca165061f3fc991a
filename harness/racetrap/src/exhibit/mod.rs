//! A bundle as if its world still lived: an API server and an engine that answer from what was captured.
//! Both can only be read.
//!
//! - `place`: the directory in which all of it is, and what clients are told;
//! - `serve`: connections, of either kind; `question`, `reply`: what is asked, and what is answered;
//! - `api`: the Kubernetes API over the objects; `engine`: the engine's API over its answers.
//!
//! Clients are not served what was not captured: they are told why it is not there.

mod api;
mod engine;
mod place;
mod question;
mod reply;
mod serve;

use std::sync::Arc;

use self::api::Objects;
use self::engine::Holdings;
pub(crate) use self::place::Place;
use crate::bundle::{Opened, Refusal};

/// What a neighbour's files lie below.
const NEIGHBOUR: &str = "neighbour/";

/// What is needed of a bundle.
pub(crate) fn is_needed(path: &str) -> bool {
    let own = path.strip_prefix(NEIGHBOUR).unwrap_or(path);
    own.starts_with("world/api/") || own.starts_with("world/engine/")
}

/// One world of a bundle.
pub(crate) struct Exhibit {
    objects: Option<Arc<Objects>>,
    holdings: Option<Arc<Holdings>>,
}

/// A bundle of which nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NothingToShow {
    #[error("nothing of its world was captured{0}")]
    NotCaptured(String),
    #[error("a document of it cannot be used")]
    Unusable(#[from] Refusal),
}

impl Exhibit {
    /// The run's world, or that of its neighbour.
    pub(crate) fn of(bundle: Opened, neighbour: bool) -> Result<Self, NothingToShow> {
        let bundle = Arc::new(bundle);
        let world = format!("{}world/", if neighbour { NEIGHBOUR } else { "" });
        let objects = Objects::of(&bundle, &world)?.map(Arc::new);
        let holdings = Holdings::of(&bundle, &world)?.map(Arc::new);
        if objects.is_none() && holdings.is_none() {
            let why = bundle.manifest().map(|manifest| format!(": {}", manifest.reason));
            return Err(NothingToShow::NotCaptured(why.unwrap_or_default()));
        }
        Ok(Self { objects, holdings })
    }
}
