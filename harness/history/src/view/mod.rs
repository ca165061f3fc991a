//! The state after some records of a history. Live waits and oracles use the same view.
//!
//! - `state`: the complete view;
//! - `activity`: when something last happened, and what goes on that will end by itself;
//! - `app`: the App's desired state and conditions;
//! - `objects`: objects of the daemon's API;
//! - `names`: the scenario's names for the engine's IDs;
//! - `silent_changes`: changes that the engine reports by no event;
//! - `told`: what rules made the daemon read instead of the engine's answers;
//! - `wire`: open exchanges, gates and rules of the wires;
//! - `user_commands`: docker commands of the user;
//! - `vm_delays`: what keeps a VM from following the daemon;
//! - `requests`: requests of users that the daemon has not carried out yet;
//! - `docker`: the docker command's configuration; `takeover`: whether the daemon must change the
//!   current context;
//! - `logs`: clients of the log passthrough, and the daemon's requests for them; `log_query`: which part
//!   of a log such a request is for.

mod activity;
mod app;
mod docker;
mod log_query;
mod logs;
mod names;
mod objects;
mod requests;
mod silent_changes;
mod state;
mod takeover;
mod told;
mod user_commands;
mod vm_delays;
mod wire;

pub use self::app::AppView;
pub use self::logs::{LogExchange, LogState};
pub(crate) use self::objects::{object_key, object_version};
pub use self::state::View;
pub use self::user_commands::UserCommands;
pub(crate) use self::wire::{EVENTS, LOGS, object_in};
