//! Puts files of the configuration into the states that a scenario names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use racetrap_history::{CONFIG_FILE, FileOp};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::layout::CliLayout;
use crate::sys::{create_link, remove_if_exists};

/// The plugin whose settings make a configuration as long as a scenario wants. The docker command
/// keeps the settings of all plugins, also of those that are not installed.
const PLUGIN: &str = "racetrap";

/// Applies an operation to one file of the configuration. New content replaces the file by a
/// rename, so that nobody reads a part of it.
///
/// # Errors
/// If there is no file yet that a link could lead to or that could be padded, or the file system fails.
pub(super) fn apply(layout: &CliLayout, path: &Path, op: &FileOp) -> io::Result<()> {
    if is_of_a_file(op) && !path.exists() {
        let name = path.strip_prefix(&layout.config).unwrap_or(path).display();
        let text =
            format!("{name} is not there, and the step changes a file that is; `put` a text first");
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    match op {
        FileOp::Text(text) => {
            remove_if_exists(path)?;
            replace(path, text.as_bytes())
        }
        FileOp::Gone => remove_if_exists(path),
        FileOp::Directory => {
            remove_if_exists(path)?;
            fs::create_dir_all(path)
        }
        FileOp::Link => {
            let target = copy_elsewhere(layout, path)?;
            link(&target, path)
        }
        FileOp::RelativeLink => {
            let target = copy_elsewhere(layout, path)?;
            let above = path.parent().unwrap_or(path);
            link(&relative(above, &target), path)
        }
        FileOp::DanglingLink => {
            fs::create_dir_all(&layout.link_targets)?;
            link(&layout.link_targets.join("not-there"), path)
        }
        FileOp::LoopingLink => {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            link(&name, path)
        }
        FileOp::HardLink => {
            let target = copy_elsewhere(layout, path)?;
            let new = temporary_path(path);
            fs::hard_link(target, &new)?;
            take_place(&new, path)
        }
        FileOp::Padded(kib) => {
            let text = fs::read(path)?;
            let mut members: Map<String, Value> = serde_json::from_slice(&text)?;
            let padding = "0".repeat(*kib as usize * 1024);
            members.insert("plugins".to_owned(), json!({ PLUGIN: { "padding": padding } }));
            replace(path, &serde_json::to_vec(&members)?)
        }
    }
}

/// Whether an operation keeps the content of a file.
fn is_of_a_file(op: &FileOp) -> bool {
    match op {
        FileOp::Link | FileOp::RelativeLink | FileOp::HardLink | FileOp::Padded(_) => true,
        FileOp::Text(_)
        | FileOp::Gone
        | FileOp::Directory
        | FileOp::DanglingLink
        | FileOp::LoopingLink => false,
    }
}

/// A copy of a file outside the configuration, so that the content that others read by a link stays
/// the same.
fn copy_elsewhere(layout: &CliLayout, path: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(&layout.link_targets)?;
    let target = layout.link_targets.join(path.file_name().unwrap_or(CONFIG_FILE.as_ref()));
    if path.is_dir() {
        copy_directory(path, &target)?;
    } else {
        fs::copy(path, &target)?;
    }
    Ok(target)
}

/// Copies a directory with all that is in it. The copy may be on another file system.
fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            copy_directory(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Puts a symbolic link in the place of a file.
fn link(target: &Path, path: &Path) -> io::Result<()> {
    let link = temporary_path(path);
    create_link(target, &link)?;
    take_place(&link, path)
}

/// The way from a directory to a file.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Path::new("..").as_os_str());
    let down = to.components().skip(shared).map(|part| part.as_os_str());
    up.chain(down).collect()
}

/// Finds the file of the context called `name`. The docker command names a context's directory
/// after the digest of its name. The contents of the files are searched first, because the digest is
/// the docker command's own affair; a file that was broken has no name in it any more.
pub(super) fn context_file(layout: &CliLayout, name: &str) -> io::Result<PathBuf> {
    let meta = layout.config.join("contexts/meta");
    for entry in fs::read_dir(&meta)? {
        let path = entry?.path().join("meta.json");
        let text = fs::read(&path).unwrap_or_default();
        let context: Value = serde_json::from_slice(&text).unwrap_or_default();
        if context["Name"] == name {
            return Ok(path);
        }
    }
    let by_digest = meta.join(hex::encode(Sha256::digest(name))).join("meta.json");
    if by_digest.parent().is_some_and(Path::exists) {
        return Ok(by_digest);
    }
    Err(io::Error::other(format!("the configuration has no context `{name}` to change")))
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = temporary_path(path);
    fs::write(&new, text)?;
    take_place(&new, path)
}

/// Puts `new` in the place of whatever is at `path`.
fn take_place(new: &Path, path: &Path) -> io::Result<()> {
    // A file or a link cannot take the place of a directory.
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        remove_if_exists(path)?;
    }
    fs::rename(new, path)
}

fn temporary_path(path: &Path) -> PathBuf {
    path.with_extension("by-user")
}

#[cfg(test)]
mod tests {
    use racetrap_history::DockerUser;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/w/home/.docker", "/w/home/elsewhere/config.json", "../elsewhere/config.json")]
    #[case("/w/docker/a", "/h/x", "../../../h/x")]
    #[case("/w", "/w/x", "x")]
    fn a_relative_link_leads_to_its_file(
        #[case] from: &str,
        #[case] to: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(expected));
    }

    // The file system's own words, "No such file or directory", name neither the file nor the remedy.
    #[rstest]
    #[case(FileOp::Link)]
    #[case(FileOp::RelativeLink)]
    #[case(FileOp::HardLink)]
    #[case(FileOp::Padded(1))]
    fn an_operation_on_a_file_that_is_not_there_says_so(#[case] op: FileOp) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let within = |name: &str| place.path().join(name);
        let facts = DockerUser { context: String::new(), overruled: false, about: true };
        let layout = CliLayout {
            config: within("config"),
            unused_config: None,
            link_targets: within("elsewhere"),
            run: within("run"),
            socket: within("socket"),
            own_disk: false,
            facts,
        };
        fs::create_dir(&layout.config).expect("a new directory");
        let path = layout.config.join(CONFIG_FILE);
        let error = apply(&layout, &path, &op).expect_err("there is no file");
        assert!(error.to_string().starts_with("config.json is not there"), "{error}");
        fs::write(&path, "{}").expect("a file");
        apply(&layout, &path, &op).expect("the file is there");
    }
}
