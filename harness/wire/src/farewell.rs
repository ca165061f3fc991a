//! The end of a connection that is meant, said to both sides.

use std::time::Duration;

use crate::peer::{Incoming, Outgoing};

/// How long it may take; who does not listen is left all the same.
const LIMIT: Duration = Duration::from_secs(1);

/// What is still to be said when the wire is done with a connection. Dropping it unsaid is how a
/// connection is lost.
pub(crate) struct Farewell {
    pub(crate) daemon_in: Incoming,
    pub(crate) daemon_out: Outgoing,
    pub(crate) engine_out: Outgoing,
}

impl Farewell {
    /// Tells both sides. A TCP socket that is closed before it was read to its end takes back what
    /// it has sent, so that the daemon's is read until it ends, too.
    pub(crate) async fn say(mut self) {
        let daemon = async {
            self.daemon_out.take_leave().await;
            self.daemon_in.drain().await;
        };
        let both = async { tokio::join!(daemon, self.engine_out.take_leave()) };
        // Nobody else is to be told that somebody did not listen.
        let _ = tokio::time::timeout(LIMIT, both).await;
    }
}
