//! Accepts clients, and serves each in a task of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::connection;
use crate::event::What;
use crate::live::{Line, Live};
use crate::transport::endpoint::Accepted;
use crate::wire::Shared;

/// Time from one accepting that failed to the next: no more than ten are told a second.
const RETRY: Duration = Duration::from_millis(100);

/// Accepts until the wire closes, and ends its connections then.
pub(crate) async fn accept(shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut connections = JoinSet::new();
    let mut number = 0;
    // Out of descriptors, as a rule, and nobody tells when there are some again: it is tried anew.
    let mut starved = false;
    let mut retry = tokio::time::interval(RETRY);
    retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Cancel-safe: the value stays true.
            _ = closing.wait_for(|closing| *closing) => break,
            // Cancel-safe: nobody is lost when `accept` is dropped.
            accepted = shared.endpoint.accept(), if !starved => match accepted {
                Ok(accepted) => {
                    connections.spawn(serve(shared.clone(), accepted, number));
                    number += 1;
                }
                Err(error) => {
                    starved = true;
                    retry.reset();
                    shared.tell(number, 0, failed(&error));
                }
            },
            // Cancel-safe: documented by tokio.
            _ = retry.tick(), if starved => starved = false,
            // Cancel-safe: a result that was not taken stays in the set.
            Some(ended) = connections.join_next() => {
                starved = false;
                raise(ended);
            }
        }
    }
    for live in shared.state().connections.values() {
        live.cut();
    }
    join(connections).await;
}

fn failed(error: &io::Error) -> What {
    What::Faulted { rule: "accept".to_owned(), fault: format!("nobody was accepted: {error}") }
}

/// Serves one connection until it ends or is cut.
async fn serve(shared: Arc<Shared>, accepted: Accepted, number: u64) {
    let live = Arc::new(Live::new(number));
    shared.state().connections.insert(number, live.clone());
    let line = Line { shared: shared.clone(), live: live.clone() };
    line.tell_of_connection(What::Opened { peer: accepted.peer() });
    // Registered before this is read, so that a wire that closes now is seen in one way or other.
    let mut closing = shared.closing.subscribe();
    let mut farewell = None;
    if !*closing.borrow() {
        tokio::select! {
            ended = connection::serve(&line, accepted) => farewell = ended,
            // Cancel-safe: the value stays true.
            () = live.is_cut() => line.tell(What::Cut),
        }
    }
    shared.state().connections.remove(&number);
    line.tell_of_connection(What::Closed);
    if let Some(farewell) = farewell {
        tokio::select! {
            () = farewell.say() => {}
            // Cancel-safe, as above.
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }
}

/// Waits for every task.
pub(crate) async fn join(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        raise(ended);
    }
}

/// A panic in a task of the wire is a panic of whoever closes it, and no silence.
fn raise(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
