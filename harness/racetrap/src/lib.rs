//! Holds a Rancher Desktop daemon's world still where a race lives, and judges what follows.
//!
//! A run goes through these modules in this order:
//! - [`catalogue`] and [`scenario_file`]: where scenarios come from;
//! - [`world`]: one isolated daemon, its engine, the wire between them, and their end;
//! - [`deadline`]: how long a step and a run may take, and that evidence is written in time;
//! - [`run`]: carries out the steps of a scenario in a world; its only output is the history;
//! - [`bundle`]: what a run leaves behind that did not pass;
//! - [`matrix`]: scenarios crossed with daemons;
//! - [`report`]: what a person or a program reads of all that;
//! - [`cli`]: the command.

pub mod bundle;
pub mod catalogue;
pub mod chain;
pub mod cli;
pub mod deadline;
pub mod mask;
pub mod matrix;
pub mod process;
pub mod report;
pub mod run;
pub mod scenario_file;
pub mod timeline;
pub mod world;

mod certificate;
mod clock;
mod daemon;
mod derived;
mod docker_cli;
mod engine;
mod exhibit;
mod intent;
mod passthrough;
mod recorder;
mod sys;
mod wait;
mod wire_record;
