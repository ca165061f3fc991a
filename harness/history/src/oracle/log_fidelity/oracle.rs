//! Who asks for a log gets the engine's bytes, in time, and costs nothing when he has gone (contract 6).
//!
//! - `answers`: each request is answered, with the status that its first failed check has (6.1).
//! - `bytes`: a client has the bytes that the engine has sent for it, in order, from the first on, and
//!   what the engine had sent at a checkpoint it has as well: nothing waits for the container's end.
//! - `ends`: a stream ends by a close frame, and by which one says whether it is whole.
//! - `cost`: a client that has gone has taken its stream on the engine and its descriptors with it;
//!   one that does not read is not kept its log in memory.
//! - `told`: what goes wrong with a log stands in the daemon's log (finding 323-I2).
//! - `order`: endpoints are announced in the same order at each start (finding 323-I3).

use super::{answers, bytes, cost, ends, order, told};
use crate::oracle::Finding;
use crate::record::Record;

/// Judges all clients of the log passthrough.
#[must_use]
pub fn log_fidelity(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    answers::judge(history, &mut finding);
    bytes::judge(history, &mut finding);
    ends::judge(history, &mut finding);
    cost::judge(history, &mut finding);
    told::judge(history, &mut finding);
    order::judge(history, &mut finding);
    finding
}
