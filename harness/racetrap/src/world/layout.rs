//! What is in a world's directory before anything of the world is started, and what its processes are told.

use std::io;

use racetrap_history::VmMode;

use super::ground::Ground;
use super::logs;
use super::world::{WorldError, WorldOptions, failed};
use crate::docker_cli::CliLayout;
use crate::intent::{self, Intent, LogLengths};
use crate::mask::canary;
use crate::process::{Environment, companion};

/// Makes the world's directories, and says first what is going to be there.
pub(super) fn lay_out(ground: &Ground, options: &WorldOptions) -> Result<Environment, WorldError> {
    let directory = ground.directory();
    let environment = Environment::of_world(directory, ground.number(), ground.marker());
    let make = || -> io::Result<()> {
        std::fs::create_dir(directory)?;
        let marker = ground.marker().to_owned();
        let evidence = std::path::absolute(&options.evidence)?;
        std::fs::create_dir_all(&evidence)?;
        intent::declare(directory, &Intent::World { marker })?;
        intent::declare(directory, &Intent::Run { evidence, logs: LogLengths::new() })?;
        std::fs::create_dir(directory.join("h"))?;
        std::fs::create_dir(directory.join("t"))
    };
    make().map_err(failed("the world's directory"))?;
    let environment = match &options.home {
        Some(home) => environment.beside(home),
        None => environment,
    };
    let user = options.needs.docker.as_ref();
    canary::plant_logins(environment.home(), user.is_none())
        .and_then(|()| canary::plant_headers(&logs::engine_log(directory)))
        .map_err(failed("planted secrets"))?;
    let environment = CliLayout::add_variables(environment, directory, user);
    let environment = match options.needs.protocol {
        // A reference daemon speaks the one that it is told; another one does not know the name.
        Some(protocol) => environment.with("RDD_PROTOCOL", protocol.to_string()),
        None => environment,
    };
    let environment = match options.vm {
        VmMode::Api => environment,
        VmMode::Program => environment
            .with(&racetrap_vm::program_variable(), companion("qemu-standin")?.to_string_lossy()),
    };
    if options.defects.is_empty() {
        return Ok(environment);
    }
    Ok(environment.with("RDD_DEFECT", options.defects.join(",")))
}
