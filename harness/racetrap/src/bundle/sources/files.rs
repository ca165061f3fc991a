//! The files of the world: what is there, how long it is, who listens, and which processes are named.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::clock::file_age;
use crate::sys::{FileKind, Identity, kind_of_file, sockets};
use crate::world_directory::engine;

/// What the engine keeps is its own affair, and there is much of it.
const OF_ENGINE: [&str; 2] = ["data", "exec"];

/// How many files are told.
const MOST: usize = 5_000;

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("files", Duration::from_secs(2), move |shelf| look(shelf, &patient))
}

fn look(shelf: &Shelf, patient: &Patient) {
    let listening: BTreeSet<String> = sockets()
        .0
        .into_iter()
        .filter(|socket| socket.kind == "unix" && socket.state == "listening")
        .filter_map(|socket| socket.local)
        .collect();
    let mut text =
        String::from("Files of the world: kind, bytes, seconds since it was written, path\n");
    let engine = engine(&patient.directory);
    let (mut count, mut waiting) = (0, vec![patient.directory.clone()]);
    while let Some(directory) = waiting.pop() {
        for path in entries(&directory) {
            count += 1;
            if count <= MOST {
                text.push_str(&line(&path, patient, &listening));
            }
            let is_engines = OF_ENGINE.iter().any(|own| path == engine.join(own));
            if path.is_dir() && !path.is_symlink() && !is_engines {
                waiting.push(path);
            }
        }
    }
    if count > MOST {
        let why = format!("there are {count} files, and {MOST} of them are told");
        shelf.put_part("files.txt", Content::Text(text), why);
    } else {
        shelf.put("files.txt", Content::Text(text));
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = listed.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// One file as a line; a socket with whether anybody listens, a pid file with whether it tells the
/// truth.
fn line(path: &Path, patient: &Patient, listening: &BTreeSet<String>) -> String {
    let name = path.strip_prefix(&patient.directory).unwrap_or(path).display();
    let Ok(metadata) = fs::symlink_metadata(path) else { return format!("gone        {name}\n") };
    let age = metadata.modified().ok().and_then(file_age);
    let age = age.map_or_else(|| "-".to_owned(), |age| age.as_secs().to_string());
    let kind = kind_of_file(&metadata);
    let mut line = format!("{:<9} {:>10} {age:>8}  {name}", kind.word(), metadata.len());
    let is_pid_file = path.extension().is_some_and(|kind| kind == "pid");
    let told = match kind {
        FileKind::Socket if listening.contains(&*path.to_string_lossy()) => "listens".to_owned(),
        FileKind::Socket => "nobody listens".to_owned(),
        FileKind::Link => fs::read_link(path)
            .map_or_else(|error| error.to_string(), |to| to.display().to_string()),
        FileKind::File if is_pid_file => named_process(path),
        FileKind::File | FileKind::Directory | FileKind::Other => String::new(),
    };
    if !told.is_empty() {
        write!(line, " -> {told}").expect("writing to a string succeeds");
    }
    line + "\n"
}

/// The process that a pid file names.
fn named_process(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.trim().parse().ok().map(Identity::from_pid) {
        Some(Some(process)) => format!("{}, started {}", process.pid, process.started),
        Some(None) => format!("{}, which does not run", text.trim()),
        None => format!("{:?}, which is no process", text.trim()),
    }
}
