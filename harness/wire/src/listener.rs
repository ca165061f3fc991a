//! Accepts clients, and serves each connection in a task of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crate::clock::Ticker;
use crate::connection_state::ConnectionState;
use crate::context::ConnectionContext;
use crate::event::What;
use crate::exchange::connection;
use crate::shared::Shared;
use crate::transport::endpoint::Accepted;

/// Time between two attempts to accept, while accepting fails: ten failures a second are reported
/// at most.
const RETRY: Duration = Duration::from_millis(100);

/// Accepts clients until the wire closes, and then ends their connections.
pub(crate) async fn accept_clients(shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut connections = JoinSet::new();
    let mut number = 0;
    // True after accepting has failed, usually because the process has no file descriptor left. No
    // event reports that descriptors are free again, so the loop tries again: after `RETRY`, and
    // whenever a connection has ended and may have freed one.
    let mut failing = false;
    let mut retry = Ticker::new(RETRY);
    loop {
        tokio::select! {
            // Cancel-safe: the value stays true.
            _ = closing.wait_for(|closing| *closing) => break,
            // Cancel-safe: a client that was not returned stays in the kernel's queue.
            accepted = shared.endpoint.accept(), if !failing => match accepted {
                Ok(accepted) => {
                    connections.spawn(serve(shared.clone(), accepted, number));
                    number += 1;
                }
                Err(error) => {
                    failing = true;
                    retry.reset();
                    shared.report(number, 0, accept_failed(&error));
                }
            },
            // Cancel-safe: a tick that was not taken stays due.
            () = retry.tick(), if failing => failing = false,
            // Cancel-safe: a result that was not taken stays in the set. Joining here keeps the set
            // small, and propagates a panic at once.
            Some(ended) = connections.join_next() => {
                failing = false;
                propagate_panic(ended);
            }
        }
    }
    for connection in shared.state().connections.values() {
        connection.cut();
    }
    join_all(connections).await;
}

fn accept_failed(error: &io::Error) -> What {
    let fault = format!("a client could not be accepted: {error}");
    What::Faulted { rule: "accept".to_owned(), fault }
}

/// Serves one connection until it ends or is cut.
async fn serve(shared: Arc<Shared>, accepted: Accepted, number: u64) {
    let state = Arc::new(ConnectionState::new(number));
    shared.state().connections.insert(number, state.clone());
    let context = ConnectionContext { shared: shared.clone(), state: state.clone() };
    context.report_for_connection(What::Opened { peer: accepted.peer() });
    // The order matters. The connection is in `connections` before `closing` is read here. So a
    // wire that closes now is noticed either way: `closing` is true already, or `accept_clients`
    // finds the connection and cuts it.
    let mut closing = shared.closing.subscribe();
    let mut graceful_close = None;
    if !*closing.borrow() {
        tokio::select! {
            // Not cancel-safe, and need not be: after a cut nobody resumes the connection. Dropping
            // it closes both sides without a `close_notify`, which is what a cut is.
            ended = connection::serve(&context, accepted) => graceful_close = ended,
            // Cancel-safe: the value stays true.
            () = state.is_cut() => context.report(What::Cut),
        }
    }
    shared.state().connections.remove(&number);
    context.report_for_connection(What::Closed);
    if let Some(graceful_close) = graceful_close {
        tokio::select! {
            // Not cancel-safe, and need not be: a wire that closes does not wait for it.
            () = graceful_close.run() => {}
            // Cancel-safe: the value stays true.
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }
}

/// Waits for every task.
pub(crate) async fn join_all(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        propagate_panic(ended);
    }
}

/// Panics if the task has panicked, so that the panic reaches the caller of `Wire::close`.
fn propagate_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
