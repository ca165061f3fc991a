//! Whose a file is, which file it is, and what room there is.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::{Access, FallocateFlags, Mode, OFlags, access, fallocate, open, statvfs};
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

/// Of a directory that only its owner may look into.
pub(crate) fn private() -> fs::Permissions {
    fs::Permissions::from_mode(0o700)
}

/// Whether this process may write there.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    Ok(access(path, Access::WRITE_OK)?)
}

/// Whether this process may execute the file.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Opens a file to read it, and nothing else: neither what a link leads to, nor a pipe or a device, on which
/// a read may wait for ever.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(file)
}

/// Bytes that nobody can guess (urandom(4)).
pub(crate) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Free room in the file system of a path, in MiB.
pub(crate) fn free_mib(path: &Path) -> io::Result<u64> {
    let room = statvfs(path)?;
    Ok((room.f_bavail * room.f_frsize) >> 20)
}

/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Directory,
    Link,
    Socket,
    /// A pipe or a device.
    Other,
}

impl FileKind {
    /// The kind in one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Socket => "socket",
            Self::Other => "other",
        }
    }
}

/// The kind of a file that was looked at without following links.
pub(crate) fn kind_of_file(metadata: &fs::Metadata) -> FileKind {
    let kind = metadata.file_type();
    if kind.is_socket() {
        FileKind::Socket
    } else if kind.is_symlink() {
        FileKind::Link
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_file() {
        FileKind::File
    } else {
        FileKind::Other
    }
}

/// Takes `bytes` of room for a file from its file system, before there is anything to write.
pub(crate) fn take_room(file: &File, bytes: u64) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::empty(), 0, bytes)?)
}
