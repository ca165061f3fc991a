//! The processes of the world, and for each of their sockets the process at the other end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::bundle::collect::Collector;
use crate::bundle::output::{CollectorOutput, Content};
use crate::bundle::target::CaptureTarget;
use crate::mask::{Hits, Location, Masker};
use crate::process::MARKER;
use crate::sys::{Process, Socket, census, own_descriptors, sockets};

pub(super) fn collector(target: &CaptureTarget) -> Collector {
    let target = target.clone();
    Collector::blocking("processes", Duration::from_secs(4), move |output| {
        collect(output, &target);
    })
}

fn collect(output: &CollectorOutput, target: &CaptureTarget) {
    let mut processes = census(MARKER, &target.marker);
    let mut hits = Hits::default();
    for process in &mut processes {
        mask(output.masker(), process, &mut hits);
    }
    output.put("processes.txt", Content::Text(tree(&processes)));
    match serde_json::to_string_pretty(&processes) {
        Ok(text) => output.put("processes.json", Content::Masked(text + "\n", hits)),
        Err(error) => output.missing("processes.json", error),
    }
    // `unknown` has a sentence for each kind of socket that the kernel did not list.
    let (all, unknown) = sockets();
    match serde_json::to_value(ends(&processes, &all)) {
        Ok(ends) if unknown.is_empty() => output.put("sockets.json", Content::Json(ends)),
        Ok(ends) => output.put_part("sockets.json", Content::Json(ends), unknown.join("; ")),
        Err(error) => output.missing("sockets.json", error),
    }
}

fn mask(masker: &Masker, process: &mut Process, hits: &mut Hits) {
    let pid = process.pid.to_string();
    let location = Location::named(&pid);
    masker.command_line(&mut process.command, &location.field("command"), hits);
    masker.environment(&mut process.environment, &location.field("environment"), hits);
}

/// The processes as text, children indented below their parents.
fn tree(processes: &[Process]) -> String {
    let mut text = String::from(
        "    PID   GROUP SESSION S  THREADS     RSS KiB   CPU s  WAITS IN                  COMMAND\n",
    );
    // A process whose parent is not of the world is the root of a tree.
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
    /// The holder of the other end, if that is a process of the world or the harness.
    other: Option<Holder<'a>>,
}

#[derive(Clone, Serialize)]
struct Holder<'a> {
    pid: u32,
    process: &'a str,
    fd: u32,
}

/// The ends of all connections that processes of the world hold, by process and descriptor.
fn ends<'a>(processes: &'a [Process], all: &'a [Socket]) -> Vec<End<'a>> {
    let mut holders = BTreeMap::new();
    // The wires are in the harness, so the other end of many connections is here.
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
    // Connections of the harness to anything outside of the world are not shown.
    let of_world = holders.iter().filter(|(_, holder)| holder.pid != own);
    let mut ends: Vec<_> = of_world
        .filter_map(|(inode, holder)| {
            let socket = *by_inode.get(inode)?;
            // The holder is unknown if it is neither of the world nor the harness.
            let other = socket.peer.and_then(|peer| holders.get(&peer)).cloned();
            Some(End { pid: holder.pid, process: holder.process, fd: holder.fd, socket, other })
        })
        .collect();
    ends.sort_by_key(|end| (end.pid, end.fd));
    ends
}
