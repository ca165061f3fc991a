//! Checks what this machine has and what it lacks. A check changes nothing that lasts.

use std::path::Path;

use miette::miette;

use super::daemon::{BUILD, Daemon, REFERENCE};
use super::exit::Failure;
use super::options::DaemonArgs;
use crate::chain::chain;
use crate::engine::Engines;
use crate::process::{ask, companion, find_program, first_line};
use crate::report::{Check, CheckState};
use crate::sys;
use crate::world::{EngineChoice, EngineVersion, longest_socket_path};

/// The least free disk space for worlds, in MiB: several times what one engine needs for its files
/// and logs.
const ROOM_MIN_MIB: u64 = 512;

