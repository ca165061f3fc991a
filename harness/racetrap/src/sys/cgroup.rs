//! Control groups that an engine has created for its containers, and that outlive it.

use std::path::{Path, PathBuf};

/// Where the hierarchies of control groups are mounted.
pub(crate) const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// The directory of the group `name` in every hierarchy, version 1 and 2.
pub(crate) fn cgroups_of(name: &str) -> Vec<PathBuf> {
    let mut found = vec![Path::new(CGROUP_ROOT).join(name)];
    if let Ok(hierarchies) = std::fs::read_dir(CGROUP_ROOT) {
        found.extend(hierarchies.filter_map(Result::ok).map(|entry| entry.path().join(name)));
    }
    found.retain(|path| path.is_dir());
    // Some hierarchies have two names, of which one is a link, such as `cpu` and `cpu,cpuacct`.
    found.sort();
    found.dedup_by_key(|path| path.canonicalize().ok());
    found
}

/// Removes the group and all groups below it.
///
/// # Errors
/// If one of them still has a process, and stays.
pub(crate) fn remove_cgroups(name: &str) -> std::io::Result<()> {
    for group in cgroups_of(name) {
        remove_tree(&group)?;
    }
    Ok(())
}

/// Thaws the group and all groups below it. The processes of a paused container are frozen: they do
/// not end by SIGKILL, and neither does the PID namespace that they are in.
pub(crate) fn thaw_cgroups(name: &str) -> std::io::Result<()> {
    for group in cgroups_of(name) {
        thaw_tree(&group)?;
    }
    Ok(())
}

/// Thaws from the outside in, because a group stays frozen as long as the group around it is.
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

/// Removes the innermost groups first. Only `rmdir` removes a group; its files cannot be removed.
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
