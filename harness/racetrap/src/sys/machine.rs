//! What the machine is short of: memory, processors, disks, time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, statvfs};
use rustix::system::uname;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::cgroups_of;

/// How many of the machine's processes are named, by what memory they hold.
const LARGEST: usize = 20;

/// How many of the kernel's lines on memory are taken.
const KERNEL_LINES: usize = 50;

/// By what the kernel's lines are known that tell why something was ended or does not go on.
const TELLING: [&str; 7] = [
    "oom-kill",
    "oom_reaper",
    "invoked oom-killer",
    "Out of memory",
    "Killed process",
    "blocked for more than",
    "No space left",
];

/// What the machine is short of.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) clock: BTreeMap<&'static str, f64>,
    pub(crate) load: String,
    /// As the kernel tells it, in bytes.
    pub(crate) memory: BTreeMap<String, u64>,
    /// Pressure stall information by resource; a line each for some and for all tasks.
    pub(crate) pressure: BTreeMap<String, Vec<String>>,
    /// Processes that were killed for want of memory since the machine started.
    pub(crate) oom_kills: Option<u64>,
    pub(crate) file_systems: Vec<FileSystem>,
    /// Files of the world's control groups, by the directory of the group.
    pub(crate) control_groups: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// How many processes the machine runs.
    pub(crate) processes: usize,
    /// Those that hold most memory.
    pub(crate) largest: Vec<Holder>,
    /// What could not be read, and why.
    pub(crate) unreadable: Vec<String>,
}

/// Room in a file system.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileSystem {
    /// A directory in it.
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Of these, free for us.
    pub(crate) bytes_free: u64,
    /// How many files there may be; 0 where there is no such limit.
    pub(crate) inodes: u64,
    /// Of these, free for us.
    pub(crate) inodes_free: u64,
}

/// A process of the machine by what it holds; nothing else is asked about one that is not ours.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Holder {
    pub(crate) pid: i32,
    pub(crate) name: String,
    /// Memory in bytes.
    pub(crate) rss: u64,
}

/// Looks at the machine: at the file systems of `directories`, and the control groups that begin with
/// one of `groups`.
pub(crate) fn machine(directories: &[PathBuf], groups: &[String]) -> Machine {
    let mut unreadable = Vec::new();
    let (processes, largest) = holders();
    Machine {
        kernel: kernel(),
        clock: clocks(),
        load: text("/proc/loadavg", &mut unreadable).trim_end().to_owned(),
        memory: memory(&text("/proc/meminfo", &mut unreadable)),
        pressure: pressure(&mut unreadable),
        oom_kills: oom_kills(&text("/proc/vmstat", &mut unreadable)),
        file_systems: file_systems(directories, &mut unreadable),
        control_groups: control_groups(groups),
        processes,
        largest,
        unreadable,
    }
}

/// Name, release, version and processor of the running kernel.
pub(crate) fn kernel() -> String {
    let name = uname();
    let parts = [name.sysname(), name.release(), name.version(), name.machine()];
    parts.map(|part| part.to_string_lossy()).join(" ")
}

/// The kernel's last lines on processes that were killed, or do not go on.
///
/// # Errors
/// Where this process may not read them.
pub(crate) fn kernel_lines() -> io::Result<Vec<String>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut log = fs::File::options().read(true).custom_flags(flags).open("/dev/kmsg")?;
    let mut lines = Vec::new();
    let mut record = [0; 8192];
    loop {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(length) => {
                let text = String::from_utf8_lossy(&record[..length]);
                let line = text.lines().next().unwrap_or_default();
                if TELLING.iter().any(|word| line.contains(word)) {
                    lines.push(line.to_owned());
                }
            }
            // Older lines were overwritten while they were read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(lines.split_off(lines.len().saturating_sub(KERNEL_LINES)))
}

/// Seconds of the clocks that programs read; `boottime` runs on while the machine is suspended.
fn clocks() -> BTreeMap<&'static str, f64> {
    let clocks = [
        ("realtime", ClockId::Realtime),
        ("monotonic", ClockId::Monotonic),
        ("boottime", ClockId::Boottime),
    ];
    let read = |id| {
        let now = clock_gettime(id);
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    };
    clocks.map(|(name, id)| (name, read(id))).into()
}

fn memory(table: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let mut words = value.split_whitespace();
        let number: u64 = words.next()?.parse().ok()?;
        Some((name.to_owned(), if words.next() == Some("kB") { number * 1024 } else { number }))
    };
    table.lines().filter_map(row).collect()
}

fn pressure(unreadable: &mut Vec<String>) -> BTreeMap<String, Vec<String>> {
    let resources = ["cpu", "io", "memory"].map(|resource| {
        let lines = text(&format!("/proc/pressure/{resource}"), unreadable);
        (resource.to_owned(), lines.lines().map(str::to_owned).collect())
    });
    resources.into()
}

fn oom_kills(table: &str) -> Option<u64> {
    table.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

fn file_systems(directories: &[PathBuf], unreadable: &mut Vec<String>) -> Vec<FileSystem> {
    let mut found = Vec::new();
    for path in directories {
        match statvfs(path) {
            Ok(room) => found.push(FileSystem {
                path: path.clone(),
                bytes: room.f_blocks * room.f_frsize,
                bytes_free: room.f_bavail * room.f_frsize,
                inodes: room.f_files,
                inodes_free: room.f_favail,
            }),
            Err(error) => unreadable.push(format!("{}: {error}", path.display())),
        }
    }
    found
}

fn control_groups(groups: &[String]) -> BTreeMap<PathBuf, BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for group in groups.iter().flat_map(|group| cgroups_of(group)) {
        look_into(&group, &mut found);
    }
    found
}

/// The small files of a group and of all below it that tell of limits, use and events.
fn look_into(group: &Path, found: &mut BTreeMap<PathBuf, BTreeMap<String, String>>) {
    const TOLD: [&str; 4] = ["memory.", "pids.", "cpu.", "freezer."];
    let is_told = |name: &str| {
        TOLD.iter().any(|kind| name.starts_with(kind))
            || name.starts_with("cgroup.") && !name.contains("kill")
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(group).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            look_into(&entry.path(), found);
        } else if is_told(&name)
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.insert(name, text.trim_end().to_owned());
        }
    }
    found.insert(group.to_owned(), files);
}

fn holders() -> (usize, Vec<Holder>) {
    let page = rustix::param::page_size() as u64;
    let stats = procfs::process::all_processes().into_iter().flatten();
    let stats = stats.filter_map(|process| process.ok()?.stat().ok());
    let mut all: Vec<_> =
        stats.map(|stat| Holder { pid: stat.pid, name: stat.comm, rss: stat.rss * page }).collect();
    all.sort_unstable_by_key(|holder| (std::cmp::Reverse(holder.rss), holder.pid));
    let count = all.len();
    all.truncate(LARGEST);
    (count, all)
}

fn text(path: &str, unreadable: &mut Vec<String>) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| {
        unreadable.push(format!("{path}: {error}"));
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // What the kernel tells in kB is told in bytes, and what it counts is told as it is.
    #[test]
    fn memory_is_told_in_bytes() {
        let table = "MemTotal:       24000 kB\nHugePages_Total:       3\nodd\n";
        let expected = [("HugePages_Total".to_owned(), 3), ("MemTotal".to_owned(), 24_576_000)];
        assert_eq!(memory(table), expected.into());
        assert_eq!(oom_kills("pgfault 3\noom_kill 7\n"), Some(7));
    }

    // The directory is on this machine's disk, which has room, and this process is one of those that
    // are counted.
    #[test]
    fn a_machine_is_told_with_its_disks_and_clocks() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let machine = machine(&[place.path().to_owned()], &[]);
        let [disk] = machine.file_systems.as_slice() else { panic!("one: {machine:?}") };
        assert!(disk.bytes >= disk.bytes_free && disk.bytes > 0);
        assert!(machine.clock["boottime"] >= machine.clock["monotonic"] - 1.0);
        assert!(machine.memory["MemTotal"] > 0 && machine.processes > 0);
        assert!(
            machine.largest.len() <= LARGEST
                && machine.largest.is_sorted_by_key(|it| std::cmp::Reverse(it.rss))
        );
    }
}
