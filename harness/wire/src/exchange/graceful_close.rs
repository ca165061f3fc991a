//! Tells both sides that the end of a connection is intended.

use std::time::Duration;

use crate::clock::within;
use crate::transport::halves::{Reader, Writer};

/// Longest time for the graceful close. A side that does not read is left after that.
const LIMIT: Duration = Duration::from_secs(1);

/// The graceful close of a connection that the wire has finished with. Dropping it without running
/// it lets both sides see a lost connection.
pub(crate) struct GracefulClose {
    pub(crate) client_reader: Reader,
    pub(crate) client_writer: Writer,
    pub(crate) upstream_writer: Writer,
}

impl GracefulClose {
    /// Sends a `close_notify` to both sides.
    ///
    /// Then it reads from the client until the client closes. A TCP socket that is closed with
    /// unread bytes resets the connection, and the client could lose the end of the response.
    pub(crate) async fn run(mut self) {
        let client = async {
            self.client_writer.close_notify().await;
            self.client_reader.drain().await;
        };
        let both = async { tokio::join!(client, self.upstream_writer.close_notify()) };
        // Nothing depends on whether a side has read its `close_notify` in time.
        let _ = within(LIMIT, both).await;
    }
}
