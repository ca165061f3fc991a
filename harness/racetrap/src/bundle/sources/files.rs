//! A listing of the world's files: kind, length and age, whether a socket has a listener, and
//! whether the process of a pid file runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::clock::file_age;
use crate::sys::{FileKind, Identity, kind_of_file, sockets};
use crate::world_directory::engine;

/// Directories of the engine, which are not listed: they have very many files that say nothing of
/// the daemon.
const ENGINE_DIRECTORIES: [&str; 2] = ["data", "exec"];

/// How many files are listed at most.
const FILES_MAX: usize = 5_000;

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("files", Duration::from_secs(2), move |output| collect(output, &target))
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    // A socket file stays when its listener ends, so only the kernel knows who listens.
    let listening: BTreeSet<String> = sockets()
        .0
        .into_iter()
        .filter(|socket| socket.kind == "unix" && socket.state == "listening")
        .filter_map(|socket| socket.local)
        .collect();
    let mut text =
        String::from("Files of the world: kind, bytes, seconds since it was written, path\n");
    let engine = engine(&target.directory);
    // Links are not followed, so the walk cannot go in circles or leave the world.
    let (mut count, mut waiting) = (0, vec![target.directory.clone()]);
    while let Some(directory) = waiting.pop() {
        for path in entries(&directory) {
            count += 1;
            if count <= FILES_MAX {
                text.push_str(&line(&path, target, &listening));
            }
            let is_skipped = ENGINE_DIRECTORIES.iter().any(|own| path == engine.join(own));
            if path.is_dir() && !path.is_symlink() && !is_skipped {
                waiting.push(path);
            }
        }
    }
    if count > FILES_MAX {
        let why = format!("there are {count} files, and {FILES_MAX} of them are listed");
        output.put_part("files.txt", Content::Text(text), why);
    } else {
        output.put("files.txt", Content::Text(text));
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = listed.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The line of one file. A socket, a link and a pid file have details at the end.
fn line(path: &Path, target: &CaptureTarget, listening: &BTreeSet<String>) -> String {
    let name = path.strip_prefix(&target.directory).unwrap_or(path).display();
    let Ok(metadata) = fs::symlink_metadata(path) else { return format!("gone        {name}\n") };
    let age = metadata.modified().ok().and_then(file_age);
    let age = age.map_or_else(|| "-".to_owned(), |age| age.as_secs().to_string());
    let kind = kind_of_file(&metadata);
    let mut line = format!("{:<9} {:>10} {age:>8}  {name}", kind.word(), metadata.len());
    let is_pid_file = path.extension().is_some_and(|kind| kind == "pid");
    let details = match kind {
        FileKind::Socket if listening.contains(&*path.to_string_lossy()) => "listens".to_owned(),
        FileKind::Socket => "nobody listens".to_owned(),
        FileKind::Link => fs::read_link(path)
            .map_or_else(|error| error.to_string(), |to| to.display().to_string()),
        FileKind::File if is_pid_file => named_process(path),
        FileKind::File | FileKind::Directory | FileKind::Other => String::new(),
    };
    if !details.is_empty() {
        write!(line, " -> {details}").expect("writing to a string succeeds");
    }
    line + "\n"
}

/// Describes the process that a pid file names.
fn named_process(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.trim().parse().ok().map(Identity::from_pid) {
        Some(Some(process)) => format!("{}, started {}", process.pid, process.started),
        Some(None) => format!("{}, which does not run", text.trim()),
        None => format!("{:?}, which is no process ID", text.trim()),
    }
}
