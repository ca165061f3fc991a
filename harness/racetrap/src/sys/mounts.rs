//! Mounts below a directory, files that nobody can remove, and a small file system in memory.

use std::path::{Path, PathBuf};

use procfs::process::Process;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};

/// Mount points below `directory`, the innermost first: the order in which they can be unmounted.
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

/// Unmounts a file system, even while a process still uses it.
pub(crate) fn detach(point: &Path) -> std::io::Result<()> {
    Ok(unmount(point, UnmountFlags::DETACH)?)
}

/// A file that nobody can remove or replace, because it is a mount point.
pub(crate) struct Pinned {
    file: PathBuf,
    is_mounted: bool,
}

impl Pinned {
    /// Mounts the file at its own path.
    pub(crate) fn mount(file: &Path) -> std::io::Result<Self> {
        let mut pinned = Self { file: file.to_owned(), is_mounted: false };
        pinned.fix()?;
        Ok(pinned)
    }

    /// Pins the file that is at this path now, if none is pinned.
    pub(crate) fn fix(&mut self) -> std::io::Result<()> {
        if !self.is_mounted {
            mount_bind(&self.file, &self.file)?;
            self.is_mounted = true;
        }
        Ok(())
    }

    /// Makes the file removable.
    pub(crate) fn loosen(&mut self) -> std::io::Result<()> {
        if std::mem::take(&mut self.is_mounted) { detach(&self.file) } else { Ok(()) }
    }
}

/// A file system in memory with space for 128 KiB, to test what happens when a disk is full or
/// read-only.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at `directory`.
    pub(crate) fn mount(directory: &Path) -> std::io::Result<Self> {
        mount("racetrap", directory, "tmpfs", MountFlags::empty(), Some(c"size=128k,mode=700"))?;
        Ok(Self(directory.to_owned()))
    }

    /// Makes the file system read-only, or writable again.
    pub(crate) fn set_read_only(&self, read_only: bool) -> std::io::Result<()> {
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        Ok(mount_remount(&self.0, flags, "")?)
    }

    /// Unmounts it, which removes all files in it.
    pub(crate) fn unmount(self) -> std::io::Result<()> {
        detach(&self.0)
    }
}
