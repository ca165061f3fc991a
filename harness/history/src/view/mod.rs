//! The state after some records of a history. Live waits and oracles use the same view.
//!
//! - `state`: the complete view;
//! - `app`: the App's desired state and conditions;
//! - `objects`: objects of the daemon's API;
//! - `names`: the scenario's names for the engine's IDs;
//! - `wire`: open exchanges, gates and rules of the wires;
//! - `requests`: requests of users that the daemon has not carried out yet;
//! - `docker`: the docker command's configuration;
//! - `logs`: clients of the log passthrough.

mod app;
mod docker;
mod logs;
mod names;
mod objects;
mod requests;
mod state;
mod wire;

pub use self::app::AppView;
pub use self::logs::LogState;
pub(crate) use self::objects::{object_key, object_version};
pub use self::state::View;
pub(crate) use self::wire::{EVENTS, LOGS};
