//! Everything that the harness needs of Linux: procfs, signals, mount and PID namespaces, control
//! groups, owners of files.
//!
//! Outside of tests, no other module reads `/proc` or `/sys`, or uses `std::os`, rustix, nix,
//! procfs or netlink. To support another platform means to write another version of this module.
//!
//! - `process`: a process by ID and start time, so that a recycled ID is never signalled;
//! - `vm_processes`: the processes of VMs that a daemon's Lima runs; `vm_listeners`: where these and
//!   the programs that they start listen;
//! - `census`: everything that the kernel tells about the processes of a world; `sockets`: their
//!   sockets;
//! - `machine`: memory, processors, disks and clocks of the machine;
//! - `namespace`: commands that start programs in namespaces; `mounts`, `cgroup`: what is left of
//!   them;
//! - `files`: owners, permissions and kinds of files; `directories`: changes in directories
//!   (inotify);
//! - `open_gate`: holds processes that open a file (fanotify);
//! - `limits`: how many files a process may open;
//! - `stop`: SIGINT, SIGTERM and SIGHUP to the harness.

mod census;
mod cgroup;
mod directories;
mod files;
mod limits;
mod machine;
mod mounts;
mod namespace;
mod open_gate;
mod process;
mod removal;
mod sockets;
mod stop;
mod vm_listeners;
mod vm_processes;

pub(crate) use census::{Process, census, own_descriptors};
pub(crate) use cgroup::{CGROUP_ROOT, cgroups_of, remove_cgroups, thaw_cgroups};
pub(crate) use directories::{DirectoryWatch, FileEvent};
pub(crate) use files::{
    FileKind, create_link, create_private_directory, disk_bytes, file_facts, free_mib, give,
    is_executable, is_file_at, kind_of_file, open_file, owner_of, owner_of_directory, private,
    random, set_owner_and_mode, take_room, temporary_directory, user_id,
};
pub(crate) use limits::{OPEN_FILES_MIN, low_limit, open_files, raise_limits};
pub(crate) use machine::{can_accelerate, kernel, kernel_lines, knows_file_system, machine};
pub(crate) use mounts::{Pinned, SmallDisk, detach, mounts_below};
pub(crate) use namespace::{Namespace, in_namespace, new_namespace, with_own_run};
pub(crate) use open_gate::OpenGate;
pub(crate) use process::{Identity, Signal, kill_group, marked, signal_of, titled, wait_for_end};
pub(crate) use removal::remove_if_exists;
pub(crate) use sockets::{Socket, sockets};
pub(crate) use stop::{StopRequests, hang_up_is_ignored};
pub(crate) use vm_listeners::{Listener, vm_listeners};
pub(crate) use vm_processes::{modified, offer_pid, vm_processes};

/// Longest path of a unix socket in bytes: `sun_path` has 108 bytes with its final NUL (unix(7)).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// Whether `/proc` shows the processes of this process's own PID namespace. If not, the IDs that the
/// harness reads there are not those by which it can signal processes.
pub(crate) fn proc_is_own() -> bool {
    let own = std::fs::read_link("/proc/self");
    own.is_ok_and(|own| own.as_os_str() == std::process::id().to_string().as_str())
}

/// The option of nsenter(1) for the mount namespace of this process.
pub(crate) const OWN_MOUNTS: &str = "--mount=/proc/self/ns/mnt";

/// Device and number of the root directory of this process, as `stat -c %d:%i /` prints them.
pub(crate) fn root_directory() -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let root = std::fs::metadata("/")?;
    Ok(format!("{}:{}", root.dev(), root.ino()))
}

/// Tries to create a control group, and removes it.
pub(crate) fn try_control_group() -> std::io::Result<()> {
    let path =
        std::path::Path::new(CGROUP_ROOT).join(format!("racetrap-try-{}", std::process::id()));
    std::fs::create_dir(&path)?;
    std::fs::remove_dir(&path)
}

/// Whether this process may create namespaces, mounts and control groups.
pub(crate) fn is_root() -> bool {
    user_id() == 0
}
