//! The process that waits until the harness has ended without closing its world; then it sweeps, and
//! finishes the evidence.
//!
//! It waits for the lock of the world's number: the kernel gives it away when the harness dies,
//! whatever it dies of. A harness that closes its world ends its watcher first.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::ground;
use super::intent::{self, Intent};
use super::sweep::{self, Swept};
use crate::chain::chain;
use crate::derived;

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

/// Waits for the harness's end; sweeps the world, unless it is another's by now.
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
    let swept = runtime.block_on(sweep::sweep(&args.directory))?;
    finish(&swept)?;
    ground::remove_lock(&args.lock)
}

fn is_of(directory: &Path, marker: &str) -> bool {
    let Ok(intents) = intent::declared(directory) else { return false };
    matches!(intents.first(), Some(Intent::World { marker: own }) if own == marker)
}

/// Finishes the evidence of a run that the harness could not finish: the verdict, and at last a word on
/// what was removed, beside the journal that ends where the harness was killed.
fn finish(swept: &Swept) -> io::Result<()> {
    let Some(evidence) = &swept.evidence else { return Ok(()) };
    let rebuilt = derived::rebuild(evidence);
    let mut file = File::create(evidence.join("swept.txt"))?;
    writeln!(file, "The harness ended without closing this world. Its watcher removed:")?;
    for leftover in &swept.leftovers {
        writeln!(file, "- {leftover}")?;
    }
    if let Err(error) = rebuilt {
        writeln!(file, "The history could not be judged: {}", chain(&error))?;
    }
    Ok(())
}
