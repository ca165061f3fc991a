//! VMs that the daemon runs: each has one hostagent, stops within its time, and leaves nothing; nobody
//! else is signalled (contract 7.1, 7.3, 7.4, 7.5).
//!
//! - `oracle`: reads the history, and judges each checkpoint;
//! - `processes`: the processes of VMs that run, and what must hold when one begins or ends;
//! - `boots`: the logs of earlier boots;
//! - `stops`: how long a VM may take to stop; `orphans`: the same for what an earlier daemon left;
//! - `wsl`: how long a call of `wsl.exe` may take, and when it may be made.

mod boots;
mod oracle;
mod orphans;
mod processes;
mod stops;
mod wsl;

pub use self::oracle::vm_lifecycle;
