//! One file of a whole bundle.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// How hard it is compressed: zstd's own usual level.
const LEVEL: i32 = 3;

/// Packs a directory into `DIRECTORY.tar.zst` beside it, whole or not at all.
pub(super) fn archive(directory: &Path) -> io::Result<()> {
    let path = path_of(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let packed = pack(directory, &temporary).and_then(|()| fs::rename(&temporary, &path));
    if packed.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&temporary);
    }
    packed
}

/// Where the archive of a directory is.
fn path_of(directory: &Path) -> io::Result<PathBuf> {
    let name = directory.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let mut name = name.to_owned();
    name.push(".tar.zst");
    Ok(directory.with_file_name(name))
}

fn pack(directory: &Path, path: &Path) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let mut tar = tar::Builder::new(zstd::Encoder::new(file, LEVEL)?);
    // A link could lead anywhere.
    tar.follow_symlinks(false);
    let name = directory.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    append(&mut tar, directory, Path::new(name))?;
    let mut file = tar.into_inner()?.finish()?;
    file.flush()?;
    file.get_ref().sync_all()
}

/// Files and directories in the order of their names; what is still being written begins with a dot.
fn append(tar: &mut tar::Builder<impl io::Write>, directory: &Path, name: &Path) -> io::Result<()> {
    tar.append_dir(name, directory)?;
    let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
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

fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "partial")
}
