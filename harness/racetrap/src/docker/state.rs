//! States of the configuration's files, as a user or an accident makes them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use racetrap_history::{CONFIG_FILE, FileOp};
use serde_json::{Map, Value, json};

use super::place::Place;
use crate::sys::create_link;

/// The plugin whose setting makes a configuration as long as one likes. The docker command keeps
/// settings of plugins, also of those that it does not have.
const PLUGIN: &str = "racetrap";

/// Puts one part of the configuration into a state. Nothing is written in its place, so that nobody
/// sees a part of it.
pub(super) fn put(place: &Place, path: &Path, op: &FileOp) -> io::Result<()> {
    match op {
        FileOp::Text(text) => {
            gone(path)?;
            replace(path, text.as_bytes())
        }
        FileOp::Gone => gone(path),
        FileOp::Directory => {
            gone(path)?;
            fs::create_dir_all(path)
        }
        FileOp::Link => {
            fs::create_dir_all(&place.elsewhere)?;
            let target = place.elsewhere.join(CONFIG_FILE);
            fs::copy(path, &target)?;
            let link = beside(path);
            create_link(&target, &link)?;
            fs::rename(link, path)
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

/// Where a context's file is: the docker command names its directory after a digest, so it is found by
/// what is in it.
pub(super) fn context(place: &Place, name: &str) -> io::Result<PathBuf> {
    let meta = place.directory.join("contexts/meta");
    for entry in fs::read_dir(&meta)? {
        let path = entry?.path().join("meta.json");
        let text = fs::read(&path).unwrap_or_default();
        let context: Value = serde_json::from_slice(&text).unwrap_or_default();
        if context["Name"] == name {
            return Ok(path);
        }
    }
    Err(io::Error::other(format!("there is no context `{name}` that could be put into a state")))
}

fn gone(path: &Path) -> io::Result<()> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { Ok(()) };
    match removed {
        Ok(()) if !is_directory => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
        other => other,
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = beside(path);
    fs::write(&new, text)?;
    fs::rename(new, path)
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("by-user")
}
