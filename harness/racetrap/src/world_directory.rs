//! Names of the files and directories in a world's directory that more than one part of the crate
//! uses.
//!
//! The directories have one letter each: the daemon binds sockets deep below its home, and the path
//! of a unix socket has at most `SOCKET_PATH_MAX` bytes.

use std::path::{Path, PathBuf};

/// HOME of the daemon, and of everybody who uses it.
pub(crate) fn home(world: &Path) -> PathBuf {
    world.join("h")
}

/// TMPDIR of the world's processes.
pub(crate) fn temporary(world: &Path) -> PathBuf {
    world.join("t")
}

/// Data, sockets and configuration of the engine.
pub(crate) fn engine(world: &Path) -> PathBuf {
    world.join("e")
}

/// Output of the engine's processes.
pub(crate) fn engine_log(world: &Path) -> PathBuf {
    world.join(ENGINE_LOG)
}

/// Name of the engine's log, in the world's directory and in the evidence.
pub(crate) const ENGINE_LOG: &str = "engine.log";

/// The serial console of the guest that runs the engine, if one does.
pub(crate) fn guest_log(world: &Path) -> PathBuf {
    world.join(GUEST_LOG)
}

/// Name of the guest's console, in the world's directory and in the evidence.
pub(crate) const GUEST_LOG: &str = "guest.log";

/// LIMA_HOME of the Lima that boots the engine's guest, below the engine's directory.
pub(crate) fn lima_home(engine: &Path) -> PathBuf {
    engine.join("l")
}

/// The journal of what happens in the world between two runs.
pub(crate) fn idle_journal(world: &Path) -> PathBuf {
    world.join("idle.jsonl")
}

/// The list of intents; see `intent.rs`.
pub(crate) fn intents(world: &Path) -> PathBuf {
    world.join("intents")
}
