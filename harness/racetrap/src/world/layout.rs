//! The content of a world's directory, and the environment of its processes, before any of them
//! starts.

use std::io;

use racetrap_history::VmMode;

use super::error::{WorldError, failed};
use super::options::WorldOptions;
use super::slot::Slot;
use super::wsl;
use crate::docker_cli::CliLayout;
use crate::intent::{self, Intent, LogLengths};
use crate::mask::canary;
use crate::process::{Environment, companion};
use crate::sys::can_accelerate;
use crate::vm::{MachineFiles, lima_program};
use crate::world_directory as place;

/// Creates the world's directory with the list of intents in it, plants the canaries, and returns
/// the environment of the world's processes.
pub(super) fn create_directory(
    slot: &Slot,
    options: &WorldOptions,
) -> Result<Environment, WorldError> {
    let directory = slot.directory();
    let environment = Environment::for_world(directory, slot.number(), slot.marker());
    let create = || -> io::Result<()> {
        std::fs::create_dir(directory)?;
        let marker = slot.marker().to_owned();
        // Absolute, because the watcher has another current directory.
        let evidence = std::path::absolute(&options.evidence)?;
        std::fs::create_dir_all(&evidence)?;
        // The marker first: without it, a sweep does not know which processes to end.
        intent::declare(directory, &Intent::World { marker })?;
        intent::declare(directory, &Intent::Run { evidence, logs: LogLengths::new() })?;
        std::fs::create_dir(place::home(directory))?;
        std::fs::create_dir(place::temporary(directory))
    };
    create().map_err(failed("the world's directory"))?;
    let environment = match &options.home {
        Some(home) => environment.for_neighbour_in(home),
        None => environment,
    };
    let user = options.needs.docker.as_ref();
    canary::plant_logins(environment.home(), user.is_none())
        .and_then(|()| canary::plant_headers(&place::engine_log(directory)))
        .map_err(failed("planted secrets"))?;
    let environment = CliLayout::add_variables(environment, directory, user);
    let environment = match options.needs.protocol {
        // Only the reference daemon reads this variable; it serves whichever protocol it names.
        Some(protocol) => environment.with("RDD_PROTOCOL", protocol.to_string()),
        None => environment,
    };
    let environment = match options.vm {
        VmMode::Api => environment,
        VmMode::Program => {
            let shared = if options.needs.shared_group { "1" } else { "0" };
            let environment = environment
                .with(
                    &racetrap_vm::program_variable(),
                    companion("qemu-standin")?.to_string_lossy(),
                )
                .with(racetrap_vm::SHARED_GROUP, shared);
            match &options.needs.wsl {
                Some(needs) => wsl::add(environment, directory, needs)?,
                None => environment,
            }
        }
        VmMode::Guest => {
            let (console, log) = (place::guest_log(directory), place::engine_log(directory));
            let files = MachineFiles::new(&place::engine(directory), console, log);
            environment
                .with(&racetrap_vm::program_variable(), lima_program(&files, can_accelerate()))
        }
    };
    if options.defects.is_empty() {
        return Ok(environment);
    }
    Ok(environment.with("RDD_DEFECT", options.defects.join(",")))
}
