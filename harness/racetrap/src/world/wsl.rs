//! The stand-in for `wsl.exe` in a world: first on the PATH of its processes, with files of its own.

use std::io;
use std::path::Path;

use racetrap_history::{WslEncoding, WslLanguage, WslNeeds};

use super::error::{WorldError, failed};
use crate::process::{Environment, companion};
use crate::sys::create_link;
use crate::world_directory;

/// Puts the program into the world's directory, and returns the environment in which the daemon uses it.
pub(super) fn add(
    environment: Environment,
    world: &Path,
    needs: &WslNeeds,
) -> Result<Environment, WorldError> {
    let directory = world_directory::wsl(world);
    let program = companion("wsl-standin")?;
    let link = || -> io::Result<()> {
        std::fs::create_dir(&directory)?;
        create_link(&program, &directory.join("wsl.exe"))
    };
    link().map_err(failed("the stand-in for wsl.exe"))?;
    let directory = directory.to_string_lossy().into_owned();
    let path = environment.variables().get("PATH").cloned().unwrap_or_default();
    let language = match needs.language {
        WslLanguage::English => "english",
        WslLanguage::German => "german",
        WslLanguage::Chinese => "chinese",
    };
    let encoding = match needs.encoding {
        WslEncoding::Utf16 => "utf16",
        WslEncoding::Utf16Bom => "utf16_bom",
        WslEncoding::Utf8 => "utf8",
    };
    Ok(environment
        .with("PATH", format!("{directory}:{path}"))
        .with(racetrap_vm::WSL_DIRECTORY, directory)
        .with(racetrap_vm::WSL_LANGUAGE, language)
        .with(racetrap_vm::WSL_ENCODING, encoding)
        .with("RDD_VM_TYPE", "wsl2"))
}
