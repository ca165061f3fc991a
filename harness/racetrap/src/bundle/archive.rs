//! Packs a bundle into one file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The compression level: zstd's own default.
const LEVEL: i32 = 3;

/// Packs `directory` into `DIRECTORY.tar.zst` beside it. The archive appears only when it is
/// complete.
pub(super) fn archive(directory: &Path) -> io::Result<()> {
    let path = archive_of(directory);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let packed = pack(directory, &temporary).and_then(|()| fs::rename(&temporary, &path));
    if packed.is_err() {
        // The error is already known; the file may not even exist.
        let _ = fs::remove_file(&temporary);
    }
    packed
}

/// The path of the archive of an evidence directory, beside it.
pub(crate) fn archive_of(directory: &Path) -> PathBuf {
    let mut name = directory.as_os_str().to_owned();
    name.push(".tar.zst");
    name.into()
}

fn name_of(directory: &Path) -> io::Result<&std::ffi::OsStr> {
    directory.file_name().ok_or_else(|| io::Error::other("it has no name"))
}

fn pack(directory: &Path, path: &Path) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let mut tar = tar::Builder::new(zstd::Encoder::new(file, LEVEL)?);
    // A link could lead to any file of the machine.
    tar.follow_symlinks(false);
    append(&mut tar, directory, Path::new(name_of(directory)?))?;
    let mut file = tar.into_inner()?.finish()?;
    file.flush()?;
    file.get_ref().sync_all()
}

/// Appends files and directories in the order of their names, without links and unfinished files.
fn append(tar: &mut tar::Builder<impl io::Write>, directory: &Path, name: &Path) -> io::Result<()> {
    tar.append_dir(name, directory)?;
    let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
    // Sorted, so that the archives of equal directories are equal.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            append(tar, &path, &name)?;
        } else if kind.is_file() && !is_partial(&path) {
            tar.append_path_with_name(&path, &name)?;
        }
    }
    Ok(())
}

/// Whether a file is still being written.
fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "partial")
}
