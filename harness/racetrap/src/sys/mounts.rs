//! Mounts below a directory, and a small one of our own.

use std::path::{Path, PathBuf};

use procfs::process::Process;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

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

/// A file system in memory with room for a few small files.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at the directory.
    pub(crate) fn mount(directory: &Path) -> std::io::Result<Self> {
        mount("racetrap", directory, "tmpfs", MountFlags::empty(), Some(c"size=128k,mode=700"))?;
        Ok(Self(directory.to_owned()))
    }

    /// Lets nothing be written, or again.
    pub(crate) fn set_read_only(&self, read_only: bool) -> std::io::Result<()> {
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        Ok(mount_remount(&self.0, flags, "")?)
    }

    /// Takes it away with all that is in it.
    pub(crate) fn unmount(self) -> std::io::Result<()> {
        detach(&self.0)
    }
}
