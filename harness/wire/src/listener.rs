//! Where a wire is bound, and whom it accepts.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener as Listener;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinError, JoinSet};

use crate::connection;
use crate::event::What;
use crate::live::{Line, Live};
use crate::wire::{Shared, WireError};

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// Binds the path, where nobody serves there.
pub(crate) async fn bind(path: &Path) -> Result<Listener, WireError> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(WireError::TooLong { path: path.to_owned(), length });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(WireError::NoParent { path: path.to_owned(), parent: parent.to_owned() });
    }
    match UnixStream::connect(path).await {
        Ok(_) => return Err(WireError::Busy { path: path.to_owned() }),
        // What refuses may be a file of another kind, too, and that is not ours to remove.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            remove_socket(path)?;
        }
        Err(_) => {}
    }
    listen(path)
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Binds a path at which nothing is. Needs no runtime, so that a guard's end can call it.
pub(crate) fn listen(path: &Path) -> Result<Listener, WireError> {
    let bound = Listener::bind(path).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|source| WireError::Bind { path: path.to_owned(), source })
}

/// Removes a socket file; one that is not there is what is wanted.
pub(crate) fn remove_socket(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(WireError::Remove { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Accepts until the wire closes, and ends its connections then.
pub(crate) async fn accept(shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut listeners = shared.listener.subscribe();
    let mut connections = JoinSet::new();
    let mut number = 0;
    let mut listener = registered(&shared, listeners.borrow_and_update().as_deref());
    // Out of descriptors, as a rule: the end of a connection gives one back.
    let mut starved = false;
    loop {
        let accepting = async {
            match &listener {
                Some(listener) if !starved => listener.accept().await,
                Some(_) | None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Cancel-safe: the value stays true.
            _ = closing.wait_for(|closing| *closing) => break,
            // Cancel-safe: a change that was not seen stays unseen.
            _ = listeners.changed() => {
                listener = registered(&shared, listeners.borrow_and_update().as_deref());
            }
            // Cancel-safe: no connection is lost when `accept` is dropped.
            accepted = accepting => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(shared.clone(), stream, number));
                    number += 1;
                }
                Err(error) => {
                    starved = !connections.is_empty();
                    shared.tell(number, 0, failed(&error));
                }
            },
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

/// The listener as the runtime knows it.
fn registered(shared: &Shared, listener: Option<&Listener>) -> Option<UnixListener> {
    let cloned = listener?.try_clone().and_then(UnixListener::from_std);
    cloned.inspect_err(|error| shared.tell(0, 0, failed(error))).ok()
}

fn failed(error: &io::Error) -> What {
    What::Faulted { rule: "accept".to_owned(), fault: format!("nobody was accepted: {error}") }
}

/// Serves one connection until it ends or is cut.
async fn serve(shared: Arc<Shared>, stream: UnixStream, number: u64) {
    let live = Arc::new(Live::new(number));
    shared.state().connections.insert(number, live.clone());
    let line = Line { shared: shared.clone(), live: live.clone() };
    line.tell_of_connection(What::Opened);
    // Registered before this is read, so that a wire that closes now is seen in one way or other.
    let closing = *shared.closing.borrow();
    if !closing {
        tokio::select! {
            () = connection::serve(&line, stream) => {}
            // Cancel-safe: the value stays true.
            () = live.is_cut() => line.tell(What::Cut),
        }
    }
    shared.state().connections.remove(&number);
    line.tell_of_connection(What::Closed);
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
