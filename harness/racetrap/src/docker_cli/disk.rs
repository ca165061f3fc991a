//! A small file system for the configuration, which can be full or read-only.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use racetrap_history::DiskOp;

use crate::sys::{SmallDisk, remove_if_exists};

/// Name of the file that fills the file system.
const FILLER: &str = ".filler";

/// The file system that is mounted at the configuration's directory.
pub(super) struct ConfigDisk {
    disk: SmallDisk,
    filler: PathBuf,
}

impl ConfigDisk {
    /// Creates the directory and mounts the file system there.
    pub(super) fn mount(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self { disk: SmallDisk::mount(directory)?, filler: directory.join(FILLER) })
    }

    /// Makes the file system full, read-only, or normal again.
    pub(super) fn set_state(&self, op: DiskOp) -> io::Result<()> {
        match op {
            DiskOp::Full => self.fill(),
            DiskOp::ReadOnly => self.disk.set_read_only(true),
            DiskOp::Normal => {
                self.disk.set_read_only(false)?;
                remove_if_exists(&self.filler)
            }
        }
    }

    /// Writes a file until the file system has no room for more.
    fn fill(&self) -> io::Result<()> {
        let mut filler = File::create(&self.filler)?;
        loop {
            match filler.write_all(&[0; 4096]) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Unmounts the file system.
    pub(super) fn unmount(self) -> io::Result<()> {
        self.disk.unmount()
    }
}
