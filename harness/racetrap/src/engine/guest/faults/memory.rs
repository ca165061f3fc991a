//! Scarce memory: a file in memory takes what is free, as programs of the user would. There is no swap, so
//! the kernel drops pages of programs and reads them again from the disk, and kills what asks for more than
//! is left.

use racetrap_history::GuestMemory;

use crate::engine::error::EngineError;
use crate::engine::guest::machine::REQUEST_LIMIT;
use crate::recorder::Recorder;
use crate::vm::Agent;

/// How much memory is left when it is scarce, in MiB.
const LEFT_MIB: u64 = 64;

/// Prints how much memory programs can get, in MiB.
const AVAILABLE: &str = r"sed -n 's/^MemAvailable: *\([0-9]*\)... kB/\1/p' /proc/meminfo";

/// Takes the guest's memory, or gives it back, and sees that it is so.
pub(in crate::engine::guest) async fn set_memory(
    agent: &Agent,
    memory: GuestMemory,
    recorder: &Recorder,
) -> Result<(), EngineError> {
    let ballast = "/run/ballast";
    let change = match memory {
        GuestMemory::Scarce => format!(
            "mkdir -p {ballast} && mount -t tmpfs -o size=100% ballast {ballast} && \
             fallocate -l $(($({AVAILABLE}) - {LEFT_MIB}))M {ballast}/file"
        ),
        GuestMemory::Normal => format!("umount {ballast}"),
    };
    agent.run(&change, REQUEST_LIMIT).await?;
    let said = agent.run(AVAILABLE, REQUEST_LIMIT).await?;
    let left_mib: u64 = said.trim().parse().unwrap_or_default();
    let is_scarce = left_mib <= 2 * LEFT_MIB;
    if is_scarce != (memory == GuestMemory::Scarce) {
        return Err(EngineError::NoEffect { why: format!("programs can get {left_mib} MiB") });
    }
    recorder.note(format!("programs in the guest can get {left_mib} MiB of memory"));
    Ok(())
}
