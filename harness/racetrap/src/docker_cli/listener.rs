//! Accepts connections of a TCP port and serves each in a task of its own.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Serves connections until its task is aborted, which also ends the connections.
pub(super) async fn serve_each<S>(listener: TcpListener, serve: impl Fn(TcpStream) -> S)
where
    S: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: documented by tokio; no connection is lost.
            accepted = listener.accept() => {
                // A client may close its connection before it is accepted. That concerns no other
                // client.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve(stream));
            }
            // Cancel-safe: documented by tokio. Without it, ended tasks would pile up.
            Some(_) = connections.join_next() => {}
        }
    }
}
