//! Control groups that an engine made for its containers and that outlive it.

use std::path::{Path, PathBuf};

const ROOT: &str = "/sys/fs/cgroup";

/// Directories of the group `name` in every hierarchy, version 1 and 2.
pub(crate) fn cgroups_of(name: &str) -> Vec<PathBuf> {
    let mut found = vec![Path::new(ROOT).join(name)];
    if let Ok(hierarchies) = std::fs::read_dir(ROOT) {
        found.extend(hierarchies.filter_map(Result::ok).map(|entry| entry.path().join(name)));
    }
    found.retain(|path| path.is_dir());
    found.sort();
    found.dedup_by_key(|path| path.canonicalize().ok());
    found
}

/// Removes the group and all below it; what still holds a process stays, and is an error.
pub(crate) fn remove_cgroups(name: &str) -> std::io::Result<()> {
    for group in cgroups_of(name) {
        remove_tree(&group)?;
    }
    Ok(())
}

/// Thaws whatever is frozen in the group: a paused container outlives SIGKILL, and with it the PID
/// namespace that it is in.
pub(crate) fn thaw_cgroups(name: &str) -> std::io::Result<()> {
    for group in cgroups_of(name) {
        thaw_tree(&group)?;
    }
    Ok(())
}

/// Thaws from the outside in: what is inside a frozen group stays frozen with it.
fn thaw_tree(group: &Path) -> std::io::Result<()> {
    for (file, thawed) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
        let file = group.join(file);
        if file.exists() {
            std::fs::write(file, thawed)?;
        }
    }
    for entry in std::fs::read_dir(group)?.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            thaw_tree(&entry.path())?;
        }
    }
    Ok(())
}

/// Control groups are removed by `rmdir` alone, the innermost first; their files are not files.
fn remove_tree(group: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(group)?.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    match std::fs::remove_dir(group) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
