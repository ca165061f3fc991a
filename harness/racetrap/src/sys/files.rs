//! Owners, permissions, identity and kinds of files, and the space for them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FallocateFlags, Mode, OFlags, access, fallocate, open, statvfs};
use rustix::process::geteuid;

/// The directory for temporary files, without links in its path: a daemon that resolves links would
/// otherwise use other paths than the harness. TMPDIR names it; an empty TMPDIR is as good as none.
pub(crate) fn temporary_directory() -> PathBuf {
    let named = std::env::var_os("TMPDIR").filter(|name| !name.is_empty());
    let directory = named.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    // A directory that does not exist is reported by whoever writes to it.
    fs::canonicalize(&directory).unwrap_or(directory)
}

/// Number of the user who owns a file, and not the one that a link leads to.
pub(crate) fn owner_of(path: &Path) -> io::Result<u32> {
    Ok(fs::symlink_metadata(path)?.uid())
}

/// Gives a file, and not the one that a link leads to, to a user and a group.
pub(crate) fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    std::os::unix::fs::lchown(path, Some(user), Some(group))
}

/// Number of the effective user of this process.
pub(crate) fn user_id() -> u32 {
    geteuid().as_raw()
}

/// Number of the user who owns the directory at `path`; `None` if it is not a directory.
pub(crate) fn owner_of_directory(path: &Path) -> io::Result<Option<u32>> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(metadata.is_dir().then(|| metadata.uid()))
}

/// Whether an open file is the one at `path` now, and was not removed or replaced.
pub(crate) fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates a directory that only its owner may read and enter.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Permissions of a directory that only its owner may read and enter.
pub(crate) fn private() -> fs::Permissions {
    fs::Permissions::from_mode(0o700)
}

/// Creates a symbolic link at `path` that leads to `target`.
pub(crate) fn create_link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Whose a file is, and on which file system.
pub(crate) struct FileFacts {
    /// Permissions.
    pub(crate) mode: u32,
    /// Number of the user who owns it.
    pub(crate) owner: u32,
    /// Number of the group.
    pub(crate) group: u32,
    /// Number of the file system.
    pub(crate) device: u64,
}

/// The facts of a file, or of the one that a link leads to.
pub(crate) fn file_facts(path: &Path) -> io::Result<FileFacts> {
    let metadata = fs::metadata(path)?;
    let mode = metadata.mode() & 0o7777;
    let (owner, group, device) = (metadata.uid(), metadata.gid(), metadata.dev());
    Ok(FileFacts { mode, owner, group, device })
}

/// Gives a file, or the one that a link leads to, an owner and permissions. The owner comes first,
/// because a change of it takes some permissions away.
pub(crate) fn set_owner_and_mode(
    path: &Path,
    owner: Option<u32>,
    mode: Option<u32>,
) -> io::Result<()> {
    if owner.is_some() {
        std::os::unix::fs::chown(path, owner, None)?;
    }
    match mode {
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

/// Whether `path` is a file that this process may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Opens a regular file to read it. Follows no link at `path`.
///
/// # Errors
/// If it is not a regular file: a read from a pipe or a device may wait for ever.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    // Without `NONBLOCK`, the call would wait until a pipe has a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// 32 random bytes that nobody can guess (urandom(4)).
pub(crate) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The space that everything below a directory takes on its disk, in bytes. Holes in files take none.
pub(crate) fn disk_bytes(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                pending.push(entry.path());
            }
            bytes += metadata.blocks() * 512;
        }
    }
    Ok(bytes)
}

/// Free space in the file system of a path, in MiB.
pub(crate) fn free_mib(path: &Path) -> io::Result<u64> {
    let room = statvfs(path)?;
    Ok((room.f_bavail * room.f_frsize) >> 20)
}

/// The kind of a file.
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
    /// The kind as one word.
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

/// The kind of a file, by metadata that were read without following links.
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

/// Reserves `bytes` of space for a file, so that a later write cannot fail because the disk is
/// full.
pub(crate) fn take_room(file: &File, bytes: u64) -> io::Result<()> {
    Ok(fallocate(file, FallocateFlags::empty(), 0, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_with_permission_to_execute_is_executable() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let text = directory.path().join("text");
        fs::write(&text, "text").expect("a file can be written");
        assert!(is_executable(Path::new("/bin/sh")));
        assert!(!is_executable(directory.path()));
        assert!(!is_executable(&text));
        assert!(!is_executable(&directory.path().join("absent")));
    }
}
