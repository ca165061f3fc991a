//! Puts files of the configuration into the states that a scenario names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use racetrap_history::{CONFIG_FILE, FileOp};
use serde_json::{Map, Value, json};

use super::layout::CliLayout;
use crate::sys::{create_link, remove_if_exists};

/// The plugin whose settings make a configuration as long as a scenario wants. The docker command
/// keeps the settings of all plugins, also of those that are not installed.
const PLUGIN: &str = "racetrap";

/// Applies an operation to one file of the configuration. New content replaces the file by a
/// rename, so that nobody reads a part of it.
pub(super) fn apply(layout: &CliLayout, path: &Path, op: &FileOp) -> io::Result<()> {
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
            fs::create_dir_all(&layout.link_targets)?;
            let target = layout.link_targets.join(CONFIG_FILE);
            // The link leads to a copy, so the content that others read stays the same.
            fs::copy(path, &target)?;
            let link = temporary_path(path);
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

/// Finds the file of the context called `name`. The docker command names a context's directory
/// after a digest, so the contents of the files are searched.
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
    Err(io::Error::other(format!("the configuration has no context `{name}` to change")))
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = temporary_path(path);
    fs::write(&new, text)?;
    fs::rename(new, path)
}

fn temporary_path(path: &Path) -> PathBuf {
    path.with_extension("by-user")
}
