//! Mounts below a directory.

use std::path::{Path, PathBuf};

use procfs::process::Process;
use rustix::mount::{UnmountFlags, unmount};

/// Mount points below `directory`, the innermost first.
pub(crate) fn mounts_below(directory: &Path) -> Vec<PathBuf> {
    let mounts = Process::myself().and_then(|own| own.mountinfo());
    let mut below: Vec<_> = mounts
        .into_iter()
        .flatten()
        .map(|mount| mount.mount_point)
        .filter(|point| point.starts_with(directory))
        .collect();
    below.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
    below
}

/// Takes a mount away, also while something still uses it.
pub(crate) fn detach(point: &Path) -> std::io::Result<()> {
    Ok(unmount(point, UnmountFlags::DETACH)?)
}
