//! The longest durations and the largest sizes of a bundle: of one that this harness writes, and of
//! one that a user hands in.

use std::io;
use std::time::Duration;

use crate::deadline::CAPTURE_BUDGET;

/// How long all collectors together may take that only read. A usual capture takes a second.
pub(super) const READING: Duration = Duration::from_secs(10);

/// How long all collectors together may take that end the processes which they ask.
pub(super) const ENDING: Duration = Duration::from_secs(5);

/// How long sealing a bundle may take, including writes to a slow disk.
pub(super) const SEAL: Duration = Duration::from_secs(20);

/// How long a capture may take, including writes to a slow disk: the budget without the time for
/// the seal.
pub(super) const CAPTURE: Duration = CAPTURE_BUDGET.saturating_sub(SEAL);

const _: () = assert!(
    READING.as_secs() + ENDING.as_secs() < CAPTURE.as_secs(),
    "the collectors must reach their own limits before the capture is abandoned"
);

/// The error for work that was not done within `limit`.
pub(super) fn timed_out(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("not done in {limit:?}"))
}

/// The largest captured file, in bytes.
pub(super) const FILE_MAX: u64 = 16 << 20;

/// The largest sum of all captured files of a world, in bytes.
pub(super) const ALL_MAX: u64 = 128 << 20;

/// The longest log of a run, in bytes. Only the end of a longer one is kept.
pub(super) const LOG_MAX: u64 = 64 << 20;

/// Rejects something that has more than `max` bytes.
pub(super) fn check_length(bytes: u64, max: u64) -> Result<(), String> {
    if bytes > max {
        return Err(format!("it has {bytes} bytes, and the limit is {max}"));
    }
    Ok(())
}

/// The limits of a bundle that is read. Anybody may have made it, so reading it must not cost more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The most files and directories together.
    pub(super) files: usize,
    /// The largest file, in bytes.
    pub(super) file_bytes: u64,
    /// The largest sum of all files, in bytes; in an archive also of the headers.
    pub(super) all_bytes: u64,
    /// The most directories inside each other.
    pub(super) depth: usize,
    /// The longest path, in bytes.
    pub(super) path_bytes: usize,
}

/// The limits for `racetrap open` and `racetrap judge`. A bundle of this harness has some hundred
/// files of a few MiB; only its journal can be longer, because a journal has no limit.
pub(super) const READ: Limits = Limits {
    files: 20_000,
    file_bytes: 256 << 20,
    all_bytes: 1 << 30,
    depth: 16,
    path_bytes: 1 << 10,
};

/// The largest window that an archive may make the decoder allocate, as a power of two in bytes.
/// This is zstd's own default.
pub(super) const WINDOW_LOG: u32 = 27;

/// The most nodes of a YAML document. In a captured document each node has at least four bytes.
pub(super) const YAML_NODES: usize = (FILE_MAX / 4) as usize;
