//! VMs that the daemon runs: each has one hostagent, stops within its time, and leaves nothing; nobody
//! else is signalled (contract 7.1, 7.3, 7.4).
//!
//! - `oracle`: reads the history, and judges each checkpoint;
//! - `processes`: the processes of VMs that run, and what must hold when one begins or ends;
//! - `boots`: the logs of earlier boots;
//! - `stops`: how long a VM may take to stop; `orphans`: the same for what an earlier daemon left.

mod boots;
mod oracle;
mod orphans;
mod processes;
mod stops;

pub use self::oracle::vm_lifecycle;
