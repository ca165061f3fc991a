//! The processes of the world, and which socket of theirs leads to whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::bundle::collect::Collector;
use crate::bundle::patient::Patient;
use crate::bundle::shelf::{Content, Shelf};
use crate::mask::{Hits, Masker, Place};
use crate::process::MARKER;
use crate::sys::{Process, Socket, census, own_descriptors, sockets};

pub(super) fn collector(patient: &Patient) -> Collector {
    let patient = patient.clone();
    Collector::reads("processes", Duration::from_secs(4), move |shelf| look(shelf, &patient))
}

fn look(shelf: &Shelf, patient: &Patient) {
    let mut processes = census(MARKER, &patient.marker);
    let mut hits = Hits::default();
    for process in &mut processes {
        mask(shelf.masker(), process, &mut hits);
    }
    shelf.put("processes.txt", Content::Text(tree(&processes)));
    match serde_json::to_string_pretty(&processes) {
        Ok(text) => shelf.put("processes.json", Content::Masked(text + "\n", hits)),
        Err(error) => shelf.missing("processes.json", error),
    }
    let (all, unknown) = sockets();
    match serde_json::to_value(ends(&processes, &all)) {
        Ok(ends) if unknown.is_empty() => shelf.put("sockets.json", Content::Json(ends)),
        Ok(ends) => shelf.put_part("sockets.json", Content::Json(ends), unknown.join("; ")),
        Err(error) => shelf.missing("sockets.json", error),
    }
}

fn mask(masker: &Masker, process: &mut Process, hits: &mut Hits) {
    let pid = process.pid.to_string();
    let place = Place::named(&pid);
    masker.command_line(&mut process.command, &place.field("command"), hits);
    masker.environment(&mut process.environment, &place.field("environment"), hits);
}

/// The processes as a tree, children below their parents.
fn tree(processes: &[Process]) -> String {
    let mut text = String::from(
        "    PID   GROUP SESSION S  THREADS     RSS KiB   CPU s  WAITS IN                  COMMAND\n",
    );
    let is_known = |pid: u32| processes.iter().any(|process| process.pid == pid);
    for root in processes.iter().filter(|process| !is_known(process.parent)) {
        branch(processes, root, 0, &mut text);
    }
    text
}

fn branch(processes: &[Process], process: &Process, depth: usize, text: &mut String) {
    let main = process.threads.iter().find(|thread| thread.tid == process.pid);
    let wchan = main.map_or("", |thread| thread.wchan.as_str());
    let command = process.command.join(" ");
    let command = if command.is_empty() { format!("[{}]", process.name) } else { command };
    writeln!(
        text,
        "{:>7} {:>7} {:>7} {} {:>8} {:>11} {:>7.2}  {wchan:<25} {}{command}",
        process.pid,
        process.group,
        process.session,
        process.state,
        process.threads.len(),
        process.rss / 1024,
        process.cpu,
        "  ".repeat(depth),
    )
    .expect("writing to a string succeeds");
    for child in processes.iter().filter(|child| child.parent == process.pid) {
        branch(processes, child, depth + 1, text);
    }
}

/// One end of a connection that a process of the world holds.
#[derive(Serialize)]
struct End<'a> {
    pid: u32,
    process: &'a str,
    fd: u32,
    #[serde(flatten)]
    socket: &'a Socket,
    /// Who holds the other end, where somebody of the world or this process does.
    other: Option<Holder<'a>>,
}

#[derive(Clone, Serialize)]
struct Holder<'a> {
    pid: u32,
    process: &'a str,
    fd: u32,
}

fn ends<'a>(processes: &'a [Process], all: &'a [Socket]) -> Vec<End<'a>> {
    let mut holders = BTreeMap::new();
    let own = std::process::id();
    for descriptor in own_descriptors() {
        if let Some(inode) = descriptor.socket() {
            holders.insert(inode, Holder { pid: own, process: "racetrap", fd: descriptor.fd });
        }
    }
    for process in processes {
        for descriptor in &process.descriptors {
            if let Some(inode) = descriptor.socket() {
                let name = process.name.as_str();
                holders
                    .insert(inode, Holder { pid: process.pid, process: name, fd: descriptor.fd });
            }
        }
    }
    let by_inode: BTreeMap<_, _> = all.iter().map(|socket| (socket.inode, socket)).collect();
    let of_world = holders.iter().filter(|(_, holder)| holder.pid != own);
    let mut ends: Vec<_> = of_world
        .filter_map(|(inode, holder)| {
            let socket = *by_inode.get(inode)?;
            let other = socket.peer.and_then(|peer| holders.get(&peer)).cloned();
            Some(End { pid: holder.pid, process: holder.process, fd: holder.fd, socket, other })
        })
        .collect();
    ends.sort_by_key(|end| (end.pid, end.fd));
    ends
}
