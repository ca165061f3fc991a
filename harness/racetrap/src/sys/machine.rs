//! What the machine may be short of: memory, processors, disks, time.

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

/// How many processes of the machine are listed, those with the most memory first.
const LARGEST: usize = 20;

/// How many lines of the kernel's log are kept, the last ones.
const KERNEL_LINES: usize = 50;

/// Parts of the kernel's log lines that say why a process was killed or is stuck.
const RELEVANT: [&str; 7] = [
    "oom-kill",
    "oom_reaper",
    "invoked oom-killer",
    "Out of memory",
    "Killed process",
    "blocked for more than",
    "No space left",
];

/// The state of the machine at one instant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) clock: BTreeMap<&'static str, f64>,
    pub(crate) load: String,
    /// The rows of `/proc/meminfo`: bytes, or counts where the kernel counts.
    pub(crate) memory: BTreeMap<String, u64>,
    /// Pressure stall information by resource: one line for some tasks, one for all tasks.
    pub(crate) pressure: BTreeMap<String, Vec<String>>,
    /// How many processes the kernel has killed for lack of memory since the machine started.
    pub(crate) oom_kills: Option<u64>,
    pub(crate) file_systems: Vec<FileSystem>,
    /// Files of the world's control groups, by the directory of the group.
    pub(crate) control_groups: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// How many processes there are.
    pub(crate) processes: usize,
    /// The processes with the most memory.
    pub(crate) largest: Vec<Holder>,
    /// One line for each thing that could not be read.
    pub(crate) unreadable: Vec<String>,
}

/// Space in a file system.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileSystem {
    /// A directory in the file system.
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Bytes that an ordinary user may still use.
    pub(crate) bytes_free: u64,
    /// How many files there may be; 0 if there is no limit.
    pub(crate) inodes: u64,
    /// How many files an ordinary user may still create.
    pub(crate) inodes_free: u64,
}

/// A process of the machine, with its memory. Evidence must contain nothing else about a process
/// that is not of the world.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Holder {
    pub(crate) pid: i32,
    pub(crate) name: String,
    /// Resident memory, in bytes.
    pub(crate) rss: u64,
}

/// Reads the state of the machine, of the file systems of `directories`, and of the control groups
/// `groups`, which are paths below the root of each hierarchy.
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

/// Whether the running kernel supports a file system, such as `overlay`.
pub(crate) fn knows_file_system(name: &str) -> bool {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    known.lines().any(|line| line.trim_start_matches("nodev").trim() == name)
}

/// Whether the processor and the kernel may be able to run guests: that they have the device, and that
/// the processor has the instructions without which no unchanged guest boots. Only a guest that boots
/// proves that they are.
pub(crate) fn can_accelerate() -> bool {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = processor.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has_instructions = flags.split_whitespace().any(|flag| flag == "vmx" || flag == "svm");
    has_instructions && fs::File::options().read(true).write(true).open("/dev/kvm").is_ok()
}

/// The last 50 lines of the kernel's log about processes that were killed or are stuck.
///
/// # Errors
/// If this process may not read the kernel's log.
pub(crate) fn kernel_lines() -> io::Result<Vec<String>> {
    // Without `NONBLOCK`, a read after the last line would wait for the next one.
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
                if RELEVANT.iter().any(|word| line.contains(word)) {
                    lines.push(line.to_owned());
                }
            }
            // The kernel has overwritten the line that was next; the read after this one goes on
            // with the oldest that is left.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(lines.split_off(lines.len().saturating_sub(KERNEL_LINES)))
}

/// The clocks that programs read, in seconds. `boottime` goes on while the machine is suspended,
/// and `monotonic` does not.
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
                // `f_blocks` counts fragments of this size, not blocks (statvfs(3)).
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
        read_group(&group, &mut found);
    }
    found
}

/// Adds the files of a group, and of all groups below it, that contain limits, usage and events.
fn read_group(group: &Path, found: &mut BTreeMap<PathBuf, BTreeMap<String, String>>) {
    const PREFIXES: [&str; 4] = ["memory.", "pids.", "cpu.", "freezer."];
    // `cgroup.kill` can only be written.
    let is_read = |name: &str| {
        PREFIXES.iter().any(|kind| name.starts_with(kind))
            || name.starts_with("cgroup.") && !name.contains("kill")
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(group).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            read_group(&entry.path(), found);
        } else if is_read(&name)
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.insert(name, text.trim_end().to_owned());
        }
    }
    found.insert(group.to_owned(), files);
}

/// How many processes the machine has, and those with the most memory.
fn holders() -> (usize, Vec<Holder>) {
    // The kernel counts resident memory in pages.
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

    // The kernel's kB become bytes; its counts, which have no unit, stay as they are.
    #[test]
    fn memory_is_given_in_bytes() {
        let table = "MemTotal:       24000 kB\nHugePages_Total:       3\nodd\n";
        let expected = [("HugePages_Total".to_owned(), 3), ("MemTotal".to_owned(), 24_576_000)];
        assert_eq!(memory(table), expected.into());
        assert_eq!(oom_kills("pgfault 3\noom_kill 7\n"), Some(7));
    }

    // The directory is on a disk of this machine, and at least this process runs.
    #[test]
    fn the_state_of_the_machine_has_its_disks_clocks_and_processes() {
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
