//! The collectors, one source of information each. None of them starts a program, rotates a file or
//! changes the world in any other way, with one exception: `stacks` ends the daemon, so it comes
//! last.

mod api;
mod database;
mod engine;
mod files;
mod home;
mod machine;
mod processes;
mod stacks;
mod versions;
mod watches;

use super::collect::Collector;
use super::target::CaptureTarget;

/// Collectors that only read.
pub(super) fn reading(target: &CaptureTarget) -> Vec<Collector> {
    vec![
        machine::collector(target),
        versions::collector(target),
        files::collector(target),
        home::collector(target),
        processes::collector(target),
        database::collector(target),
        engine::collector(target),
        api::collector(target),
    ]
}

/// Collectors that end the processes which they ask.
pub(super) fn ending(target: &CaptureTarget) -> Vec<Collector> {
    vec![stacks::collector(target)]
}
