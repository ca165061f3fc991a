//! Programs of this workspace that a run needs: the reference daemon, the watcher, stand-ins for a VM.

use std::path::{Path, PathBuf};

/// A program of this workspace is not built.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "there is no {name} beside {own}; `cargo build --workspace` builds it in a checkout, and \
     `cargo install --locked --path fixtures/{package}` installs it", package = package_of(name)
)]
pub struct NotBuilt {
    name: &'static str,
    own: PathBuf,
}

/// The directory below `fixtures` with the package of a program.
fn package_of(name: &str) -> &'static str {
    if name.ends_with("-standin") { "vm" } else { "daemon" }
}

/// The path of the program `name`, which cargo builds beside the running one. If that is a test, it
/// is in `deps`, and the program is one directory above.
///
/// # Errors
/// If the program is missing, with the command that builds it.
pub fn companion(name: &'static str) -> Result<PathBuf, NotBuilt> {
    let own = std::env::current_exe().unwrap_or_default();
    let directory = own.parent().unwrap_or_else(|| Path::new("."));
    // Cargo puts tests into `deps`.
    let above = directory.parent().filter(|_| directory.ends_with("deps"));
    let mut places = [Some(directory), above].into_iter().flatten().map(|place| place.join(name));
    let found = places.find(|place| place.is_file());
    found.ok_or_else(|| NotBuilt { name, own: own.clone() })
}
