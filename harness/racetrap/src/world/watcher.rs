//! The process that waits until the harness has ended without closing its world, and sweeps then; before
//! that it captures what still lives.
//!
//! It waits for the lock of the world's number: the kernel gives it away when the harness dies,
//! whatever it dies of. A harness that closes its world ends its watcher first.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::aftermath::aftermath;
use super::ground;
use crate::intent::{self, Intent};

/// Arguments of the watcher.
#[derive(Clone, Debug, clap::Args)]
pub struct WatchArgs {
    /// Directory of the world.
    #[arg(long)]
    pub directory: PathBuf,
    /// File whose lock the harness holds while it lives.
    #[arg(long)]
    pub lock: PathBuf,
    /// What this world's processes carry in their environment.
    #[arg(long)]
    pub marker: String,
}

/// Waits for the harness's end; captures and sweeps the world, unless it is another's by now.
///
/// # Errors
/// Where the lock cannot be waited for, or something of the world would not go.
pub fn watch(args: &WatchArgs) -> io::Result<()> {
    let lock = File::open(&args.lock)?;
    lock.lock()?;
    if !is_of(&args.directory, &args.marker) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(aftermath(&args.directory))?;
    ground::remove_lock(&args.lock)
}

fn is_of(directory: &Path, marker: &str) -> bool {
    let Ok(intents) = intent::declared(directory) else { return false };
    matches!(intents.first(), Some(Intent::World { marker: own }) if own == marker)
}
