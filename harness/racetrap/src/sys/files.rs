//! Whose a file is, which file it is, and what room there is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;

/// Number of the user that this process acts for.
pub(crate) fn user_id() -> u32 {
    geteuid().as_raw()
}

/// Number of the user whose directory this is; none where it is no directory.
pub(crate) fn owner_of_directory(path: &Path) -> io::Result<Option<u32>> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(metadata.is_dir().then(|| metadata.uid()))
}

/// Whether an open file is the one at `path` now.
pub(crate) fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a directory that only its owner may look into.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Whether this process may write there.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    Ok(access(path, Access::WRITE_OK)?)
}

/// Whether this process may execute the file.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Free room in the file system of a path, in MiB.
pub(crate) fn free_mib(path: &Path) -> io::Result<u64> {
    let room = statvfs(path)?;
    Ok((room.f_bavail * room.f_frsize) >> 20)
}
