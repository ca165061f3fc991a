//! Stops a Rancher Desktop daemon and its engine at the instants where races live, and judges what
//! the daemon does then.
//!
//! A run goes through these modules in this order:
//! - [`catalogue`], [`workloads`] and [`scenario_file`]: read scenarios;
//! - [`world`]: starts and closes one isolated daemon, its engine, and the wire between them;
//! - [`deadline`]: limits how long a step and a run may take, so that evidence is written in time;
//! - [`run`]: carries out the steps of a scenario in a world; its only output is the history;
//! - [`bundle`]: collects evidence of a run that did not pass;
//! - [`matrix`]: runs scenarios crossed with daemons;
//! - [`contract`]: the promises of the daemon, by number;
//! - [`report`]: renders all of that for people and programs;
//! - [`cli`]: the command.

pub mod bundle;
pub mod catalogue;
pub mod chain;
pub mod cli;
pub mod contract;
pub mod deadline;
pub mod mask;
pub mod matrix;
pub mod process;
pub mod report;
pub mod run;
pub mod scenario_file;
pub mod timeline;
pub mod workloads;
pub mod world;

mod apt;
mod bundle_server;
mod cache;
mod certificate;
mod clock;
mod daemon;
mod derived;
mod docker_cli;
mod engine;
mod intent;
mod known;
mod kubernetes;
mod passthrough;
mod recorder;
mod search;
mod sys;
mod vm;
mod wait;
mod wire_record;
mod world_directory;
