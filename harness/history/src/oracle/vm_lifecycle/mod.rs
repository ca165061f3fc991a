//! VMs that the daemon runs: each has one hostagent, stops within its time, and leaves nothing; nobody
//! else is signalled (contract 7.1, 7.3, 7.4, 7.5).
//!
//! - `oracle`: reads the history, and judges each checkpoint;
//! - `processes`: the processes of VMs that run, and what must hold when one begins or ends;
//! - `stops`: how long a VM may take to stop;
//! - `wsl`: how long a call of `wsl.exe` may take, and when it may be made.

mod oracle;
mod processes;
mod stops;
mod wsl;

pub use self::oracle::vm_lifecycle;
