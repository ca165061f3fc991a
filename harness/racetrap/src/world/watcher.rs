//! The watcher: a process that waits until the harness has ended without closing its world, and
//! then captures and sweeps that world.
//!
//! It waits for the lock of the world's slot, which the kernel releases when the harness dies,
//! whatever the cause. A harness that closes its world ends its watcher first.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::abandoned::capture_and_sweep;
use super::slot;
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
    /// Marker that this world's processes carry in their environment.
    #[arg(long)]
    pub marker: String,
}

/// Waits for the harness to end; then captures and sweeps its world.
///
/// # Errors
/// If the lock cannot be waited for, or something of the world cannot be removed.
pub fn watch(args: &WatchArgs) -> io::Result<()> {
    let lock = File::open(&args.lock)?;
    lock.lock()?;
    // Another harness may have claimed the slot first: it has swept the old world, and the
    // directory now belongs to its own world.
    if !has_marker(&args.directory, &args.marker) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(capture_and_sweep(&args.directory))?;
    slot::remove_lock(&args.lock)
}

/// Whether the world in `directory` has declared this marker.
fn has_marker(directory: &Path, marker: &str) -> bool {
    let Ok(intents) = intent::declared(directory) else { return false };
    matches!(intents.first(), Some(Intent::World { marker: own }) if own == marker)
}
