//! How long and how large anything of a bundle may be: one that is written here, and one that comes from
//! elsewhere.

use std::time::Duration;

use crate::deadline::CAPTURE_BUDGET;

/// How long collectors may take that leave everything as it is; the usual capture takes a second.
pub(super) const LOOKING: Duration = Duration::from_secs(10);

/// How long those may take that end what they ask.
pub(super) const ENDING: Duration = Duration::from_secs(5);

/// How long the end of a bundle may take, the disk included.
pub(super) const SEAL: Duration = Duration::from_secs(20);

/// How long a capture may take, the disk included: what a seal leaves of the budget.
pub(super) const CAPTURE: Duration = CAPTURE_BUDGET.saturating_sub(SEAL);

const _: () = assert!(
    LOOKING.as_secs() + ENDING.as_secs() < CAPTURE.as_secs(),
    "collectors end by themselves before their capture is given up"
);

/// The most bytes of one file that is captured.
pub(super) const FILE_MAX: usize = 16 << 20;

/// The most bytes of all files that are captured of a world.
pub(super) const ALL_MAX: u64 = 128 << 20;

/// The most bytes of one log of the run; of a longer one the end is kept.
pub(super) const LOG_MAX: u64 = 64 << 20;

/// What is read of a bundle, of which nobody knows who has made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many files and directories it may have.
    pub(super) files: usize,
    /// The most bytes of one file.
    pub(super) file_bytes: u64,
    /// The most bytes of all files, with what an archive needs for their names.
    pub(super) all_bytes: u64,
    /// How many directories may lie in each other.
    pub(super) depth: usize,
    /// The longest path, in bytes.
    pub(super) path_bytes: usize,
}

/// A bundle that is written here has some hundred files of a few MiB; a journal has no limit of its own.
pub(super) const READ: Limits = Limits {
    files: 20_000,
    file_bytes: 256 << 20,
    all_bytes: 1 << 30,
    depth: 16,
    path_bytes: 1 << 10,
};

/// The largest window that an archive may make its reader keep, as a power of two, in bytes: what zstd
/// itself takes where nothing is said.
pub(super) const WINDOW_LOG: u32 = 27;

/// The most parts of a document in YAML: those of one that is captured have at least four bytes each.
pub(super) const YAML_NODES: usize = FILE_MAX / 4;
