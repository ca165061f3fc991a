//! What the kernel tells about each process of a world. Reading it stops no process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use procfs::Current as _;
use serde::Serialize;

use super::marked;

/// One process at one instant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Process ID of its parent.
    pub(crate) parent: u32,
    /// Start time in clock ticks since boot.
    pub(crate) started: u64,
    /// Time since the start, in seconds.
    pub(crate) age: f64,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Number of the effective user.
    pub(crate) user: u32,
    pub(crate) name: String,
    /// As `ps` prints it: `R`, `S`, `D`, `T`, `Z`.
    pub(crate) state: char,
    pub(crate) command: Vec<String>,
    /// `NAME=VALUE`.
    pub(crate) environment: Vec<String>,
    pub(crate) executable: Option<PathBuf>,
    pub(crate) directory: Option<PathBuf>,
    /// Resident memory, in bytes.
    pub(crate) rss: u64,
    /// Processor time used, in seconds.
    pub(crate) cpu: f64,
    /// Signals that are pending, blocked, ignored and caught, as masks.
    pub(crate) signals: BTreeMap<&'static str, String>,
    /// Soft and hard limit of each resource.
    pub(crate) limits: Vec<String>,
    pub(crate) control_groups: Vec<String>,
    /// Namespace by kind, such as `net:[4026531840]`.
    pub(crate) namespaces: BTreeMap<String, String>,
    pub(crate) threads: Vec<Thread>,
    pub(crate) descriptors: Vec<Descriptor>,
    /// One line for each file that could not be read.
    pub(crate) unreadable: Vec<String>,
}

/// One thread of a process.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Thread {
    pub(crate) tid: u32,
    pub(crate) name: String,
    pub(crate) state: String,
    /// The kernel function in which the thread waits; `0` if it does not wait.
    pub(crate) wchan: String,
    /// The thread's stack in the kernel, or why it could not be read.
    pub(crate) stack: Vec<String>,
}

/// One open file of a process.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Descriptor {
    pub(crate) fd: u32,
    /// A path, or what the kernel shows instead, such as `socket:[4711]`.
    pub(crate) target: String,
}

impl Descriptor {
    /// The inode of the socket, if this is one.
    pub(crate) fn socket(&self) -> Option<u64> {
        self.target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }
}

/// Every process with `name=value` in its environment, and all descendants of these: the processes
/// of a container have another environment. Sorted by ID.
pub(crate) fn census(name: &str, value: &str) -> Vec<Process> {
    let mut wanted: BTreeSet<u32> = marked(name, value).iter().map(|(own, _)| own.pid).collect();
    let parents = parents();
    // Each turn adds one generation.
    loop {
        let descend = parents.iter().filter(|(_, parent)| wanted.contains(parent));
        let more: Vec<_> =
            descend.map(|(pid, _)| *pid).filter(|pid| !wanted.contains(pid)).collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    wanted.into_iter().filter_map(examine).collect()
}

/// The open descriptors of this process.
pub(crate) fn own_descriptors() -> Vec<Descriptor> {
    descriptors(&PathBuf::from("/proc/self"), &mut Vec::new())
}

/// The ID of every process of the machine, with that of its parent.
fn parents() -> Vec<(u32, u32)> {
    let stats = procfs::process::all_processes().into_iter().flatten();
    stats
        .filter_map(|process| process.ok()?.stat().ok())
        .filter_map(|stat| Some((u32::try_from(stat.pid).ok()?, u32::try_from(stat.ppid).ok()?)))
        .collect()
}

/// Reads everything about a process; `None` if it has ended.
fn examine(pid: u32) -> Option<Process> {
    let process = procfs::process::Process::new(i32::try_from(pid).ok()?).ok()?;
    let (stat, status) = (process.stat().ok()?, process.status().ok()?);
    let place = PathBuf::from(format!("/proc/{pid}"));
    let mut unreadable = Vec::new();
    let ticks = procfs::ticks_per_second();
    let seconds = |of: u64| of as f64 / ticks as f64;
    let uptime = procfs::Uptime::current().map_or(0.0, |uptime| uptime.uptime);
    let signals = [
        ("pending", status.sigpnd | status.shdpnd),
        ("blocked", status.sigblk),
        ("ignored", status.sigign),
        ("caught", status.sigcgt),
    ];
    Some(Process {
        pid,
        parent: u32::try_from(stat.ppid).unwrap_or_default(),
        started: stat.starttime,
        age: uptime - seconds(stat.starttime),
        group: stat.pgrp,
        session: stat.session,
        user: status.euid,
        name: stat.comm.clone(),
        state: stat.state,
        command: strings(&place, "cmdline", &mut unreadable),
        environment: strings(&place, "environ", &mut unreadable),
        executable: link(&place, "exe", &mut unreadable),
        directory: link(&place, "cwd", &mut unreadable),
        rss: status.vmrss.unwrap_or_default() * 1024,
        cpu: seconds(stat.utime + stat.stime),
        signals: signals.map(|(name, mask)| (name, format!("{mask:016x}"))).into(),
        limits: limits(&place, &mut unreadable),
        control_groups: lines(&place, "cgroup", &mut unreadable),
        namespaces: namespaces(&place),
        threads: threads(&place, &mut unreadable),
        descriptors: descriptors(&place, &mut unreadable),
        unreadable,
    })
}

fn threads(place: &Path, unreadable: &mut Vec<String>) -> Vec<Thread> {
    let mut tids: Vec<u32> =
        entries(&place.join("task"), unreadable).filter_map(|name| name.parse().ok()).collect();
    tids.sort_unstable();
    let thread = |tid: u32| {
        let place = place.join("task").join(tid.to_string());
        let text = |file: &str| std::fs::read_to_string(place.join(file));
        let stat = text("stat").unwrap_or_default();
        // The state follows the name, which may contain parentheses and blanks, and ends at the
        // last `)`.
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').next());
        let stack = match text("stack") {
            Ok(stack) => stack.lines().map(str::to_owned).collect(),
            Err(error) => vec![format!("unreadable: {error}")],
        };
        Thread {
            tid,
            name: text("comm").unwrap_or_default().trim_end().to_owned(),
            state: state.unwrap_or_default().to_owned(),
            wchan: text("wchan").unwrap_or_default(),
            stack,
        }
    };
    tids.into_iter().map(thread).collect()
}

fn descriptors(place: &Path, unreadable: &mut Vec<String>) -> Vec<Descriptor> {
    let place = place.join("fd");
    let mut found: Vec<_> = entries(&place, unreadable)
        .filter_map(|name| {
            let target = std::fs::read_link(place.join(&name)).ok()?;
            Some(Descriptor { fd: name.parse().ok()?, target: target.to_string_lossy().into() })
        })
        .collect();
    found.sort_unstable_by_key(|descriptor| descriptor.fd);
    found
}

fn namespaces(place: &Path) -> BTreeMap<String, String> {
    let place = place.join("ns");
    let names = entries(&place, &mut Vec::new());
    let target =
        |name: &String| Some(std::fs::read_link(place.join(name)).ok()?.to_string_lossy().into());
    names.filter_map(|name| Some((name.clone(), target(&name)?))).collect()
}

/// The kernel's table of limits without its heading, with one space between columns.
fn limits(place: &Path, unreadable: &mut Vec<String>) -> Vec<String> {
    let table = lines(place, "limits", unreadable).into_iter().skip(1);
    table.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn lines(place: &Path, file: &str, unreadable: &mut Vec<String>) -> Vec<String> {
    let bytes = bytes(place, file, unreadable);
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// The strings of a file in which each string ends with a NUL.
fn strings(place: &Path, file: &str, unreadable: &mut Vec<String>) -> Vec<String> {
    let bytes = bytes(place, file, unreadable);
    let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn bytes(place: &Path, file: &str, unreadable: &mut Vec<String>) -> Vec<u8> {
    std::fs::read(place.join(file)).unwrap_or_else(|error| {
        unreadable.push(format!("{file}: {error}"));
        Vec::new()
    })
}

fn link(place: &Path, file: &str, unreadable: &mut Vec<String>) -> Option<PathBuf> {
    let target = std::fs::read_link(place.join(file));
    target.map_err(|error| unreadable.push(format!("{file}: {error}"))).ok()
}

fn entries(place: &Path, unreadable: &mut Vec<String>) -> impl Iterator<Item = String> + use<> {
    let listed = std::fs::read_dir(place);
    let listed = listed.map_err(|error| unreadable.push(format!("{}: {error}", place.display())));
    let names = listed.into_iter().flatten().filter_map(Result::ok);
    names.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The test examines its own process, of which it knows the program, a thread and an open file.
    #[test]
    fn a_process_is_listed_with_its_threads_and_its_open_files() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("held");
        let _held = std::fs::File::create(&path).expect("a file");
        let own = examine(std::process::id()).expect("it runs");
        assert_eq!(own.executable, std::env::current_exe().ok());
        assert_eq!(own.user, super::super::user_id());
        assert!(own.rss > 0 && own.age >= 0.0 && own.unreadable.is_empty(), "{own:?}");
        let name = std::thread::current().name().expect("a test's thread has one").to_owned();
        let is_this = |thread: &Thread| name.starts_with(&thread.name) && !thread.state.is_empty();
        assert!(own.threads.iter().any(is_this), "{:?}", own.threads);
        let is_held = |open: &Descriptor| open.target == path.to_string_lossy();
        assert!(own.descriptors.iter().any(is_held), "{:?}", own.descriptors);
        assert!(own.limits.iter().any(|limit| limit.starts_with("Max open files ")));
    }
}
