//! A small file system for the configuration, which can be full or not to be written.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use racetrap_history::DiskOp;

use crate::sys::SmallDisk;

/// What takes all the room.
const FILLER: &str = ".filler";

/// The file system, for as long as it is not taken away.
pub(super) struct Disk {
    disk: SmallDisk,
    filler: PathBuf,
}

impl Disk {
    /// Mounts one at the directory.
    pub(super) fn mount(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self { disk: SmallDisk::mount(directory)?, filler: directory.join(FILLER) })
    }

    /// Puts it into a state.
    pub(super) fn put(&self, op: DiskOp) -> io::Result<()> {
        match op {
            DiskOp::Full => self.fill(),
            DiskOp::ReadOnly => self.disk.set_read_only(true),
            DiskOp::Normal => {
                self.disk.set_read_only(false)?;
                match std::fs::remove_file(&self.filler) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    Ok(()) | Err(_) => Ok(()),
                }
            }
        }
    }

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

    /// Takes it away.
    pub(super) fn unmount(self) -> io::Result<()> {
        self.disk.unmount()
    }
}
