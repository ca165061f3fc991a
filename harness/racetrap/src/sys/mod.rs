//! What only Linux has: procfs, signals, mount and PID namespaces, control groups, owners of files.
//!
//! Everything else of the harness asks this module, so that another platform is one more
//! directory beside it.

mod census;
mod cgroup;
mod directories;
mod files;
mod machine;
mod mounts;
mod namespace;
mod open_gate;
mod process;
mod removal;
mod sockets;
mod stop;

pub(crate) use census::{Process, census, own_descriptors};
pub(crate) use cgroup::{cgroups_of, remove_cgroups, thaw_cgroups};
pub(crate) use directories::{Directories, Happened, Happening};
pub(crate) use files::{
    FileKind, check_writable, create_private_directory, free_mib, is_executable, is_file_at,
    kind_of_file, open_file, owner_of_directory, private, random, take_room, user_id,
};
pub(crate) use machine::{kernel, kernel_lines, machine};
pub(crate) use mounts::{SmallDisk, detach, mounts_below};
pub(crate) use namespace::{Namespace, in_namespace, new_namespace, with_own_run};
pub(crate) use open_gate::OpenGate;
pub(crate) use process::{Identity, Signal, kill_group, marked, wait_for_end};
pub(crate) use removal::remove_if_exists;
pub(crate) use sockets::{Socket, sockets};
pub(crate) use stop::StopRequests;

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// Whether this process may make namespaces, mounts and control groups.
pub(crate) fn is_root() -> bool {
    user_id() == 0
}
