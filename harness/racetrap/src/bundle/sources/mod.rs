//! What is looked for, one source a file. None of them starts, stops or rotates anything of the
//! patient; `stacks` ends the daemon, and comes last.

mod api;
mod database;
mod engine;
mod files;
mod home;
mod machine;
mod processes;
mod stacks;
mod versions;

use super::collect::Collector;
use super::patient::Patient;

/// Collectors that leave everything as it is.
pub(super) fn looking(patient: &Patient) -> Vec<Collector> {
    vec![
        machine::collector(patient),
        versions::collector(patient),
        files::collector(patient),
        home::collector(patient),
        processes::collector(patient),
        database::collector(patient),
        engine::collector(patient),
        api::collector(patient),
    ]
}

/// Collectors that end what they ask.
pub(super) fn ending(patient: &Patient) -> Vec<Collector> {
    vec![stacks::collector(patient)]
}
