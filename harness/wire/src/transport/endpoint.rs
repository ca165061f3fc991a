//! Where a wire is bound, closed and bound again at the same place, and whom it accepts.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::peer::{self, Incoming, Outgoing};
use crate::transport::tls::Identity;
use crate::wire::WireError;

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// Where a wire listens.
#[derive(Clone)]
pub enum Listen {
    /// Path at which clients look for a socket; nothing else may be bound there.
    Unix(PathBuf),
    /// TLS over TCP. HTTP/1.1 is all that is accepted.
    Tls {
        /// Address to bind; with port 0 the system chooses one, which
        /// [`Wire::address`](crate::Wire::address) tells.
        address: SocketAddr,
        /// What is shown to clients; of an [`Authority`](crate::Authority).
        identity: Identity,
    },
}

/// A place at which a wire listens, or could.
pub(crate) struct Endpoint {
    place: Place,
    /// The runtime that knows the listener; an endpoint is bound again on threads without one, too.
    runtime: Handle,
    /// None where nobody can connect. Only polled under the lock, so that taking it away is in force
    /// at once.
    listener: Mutex<Option<Listener>>,
    bound: Notify,
}

enum Place {
    Unix(PathBuf),
    Tls {
        /// With the port that was chosen.
        address: SocketAddr,
        acceptor: TlsAcceptor,
        /// Has the port and never listens, so that nobody else gets it while connections are refused
        /// (a system picks no port for others that is bound without a listener).
        _reserved: TcpSocket,
    },
}

#[derive(Debug)]
enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Who has connected, and said nothing yet.
pub(crate) enum Accepted {
    Unix(UnixStream),
    Tls(TcpStream, SocketAddr, TlsAcceptor),
}

impl Endpoint {
    /// Binds a place where nobody serves.
    pub(crate) async fn bind(listen: Listen) -> Result<Self, WireError> {
        let place = match listen {
            Listen::Unix(path) => {
                make_room(&path).await?;
                Place::Unix(path)
            }
            Listen::Tls { address, identity } => {
                let (reserved, address) =
                    reserve(address).map_err(|source| WireError::Address { address, source })?;
                Place::Tls { address, acceptor: identity.acceptor(), _reserved: reserved }
            }
        };
        let endpoint = Self {
            place,
            runtime: Handle::current(),
            listener: Mutex::new(None),
            bound: Notify::new(),
        };
        endpoint.open()?;
        Ok(endpoint)
    }

    /// The address, with the port that was chosen; none on a unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match &self.place {
            Place::Unix(_) => None,
            Place::Tls { address, .. } => Some(*address),
        }
    }

    /// Binds where nothing is bound. Needs no runtime, so that a guard's end can call it.
    pub(crate) fn open(&self) -> Result<(), WireError> {
        let _entered = self.runtime.enter();
        let listener = match &self.place {
            Place::Unix(path) => UnixListener::bind(path)
                .map(Listener::Unix)
                .map_err(|source| WireError::Bind { path: path.clone(), source }),
            Place::Tls { address, .. } => listen(*address)
                .map(Listener::Tcp)
                .map_err(|source| WireError::Address { address: *address, source }),
        };
        *self.listener() = Some(listener?);
        self.bound.notify_one();
        Ok(())
    }

    /// Takes the listener away: nobody can connect when this returns, and who had connected without
    /// being accepted is refused. Connections live on.
    pub(crate) fn shut(&self) -> Result<(), WireError> {
        let removed = match &self.place {
            Place::Unix(path) => remove_socket(path),
            Place::Tls { .. } => Ok(()),
        };
        self.listener().take();
        removed
    }

    /// Waits for somebody who connects. Cancel-safe: nobody is lost.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        loop {
            tokio::select! {
                accepted = poll_fn(|context| self.poll_accept(context)) => return accepted,
                // A new listener has not been polled yet.
                () = self.bound.notified() => {}
            }
        }
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match (&*self.listener(), &self.place) {
            (Some(Listener::Unix(listener)), _) => {
                let (stream, _) = ready!(listener.poll_accept(context))?;
                Poll::Ready(Ok(Accepted::Unix(stream)))
            }
            (Some(Listener::Tcp(listener)), Place::Tls { acceptor, .. }) => {
                let (stream, peer) = ready!(listener.poll_accept(context))?;
                Poll::Ready(Ok(Accepted::Tls(stream, peer, acceptor.clone())))
            }
            (Some(Listener::Tcp(_)), Place::Unix(_)) => unreachable!("a path has no TCP"),
            (None, _) => Poll::Pending,
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Listener>> {
        self.listener.lock().expect("nothing panics while it holds the listener")
    }
}

impl Accepted {
    /// Where the other side is, where it has an address of its own.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tls(_, peer, _) => Some(*peer),
        }
    }

    /// Agrees on how to talk.
    pub(crate) async fn greet(self) -> io::Result<(Incoming, Outgoing)> {
        match self {
            Self::Unix(stream) => Ok(peer::unix(stream)),
            Self::Tls(stream, _, acceptor) => {
                stream.set_nodelay(true)?;
                acceptor.accept(stream).await.map(|stream| peer::tls(stream.into()))
            }
        }
    }
}

/// A port that is ours, and the address with it.
fn reserve(address: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Both who reserves and who listens must allow the other.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// The standard library's own listeners allow others who do not listen.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Makes sure that a unix socket can be bound at the path.
async fn make_room(path: &Path) -> Result<(), WireError> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(WireError::TooLong { path: path.to_owned(), length });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(WireError::NoParent { path: path.to_owned(), parent: parent.to_owned() });
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(WireError::Busy { path: path.to_owned() }),
        // What refuses may be a file of another kind, too, and that is not ours to remove.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            remove_socket(path)
        }
        Err(_) => Ok(()),
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Removes a socket file; one that is not there is what is wanted.
fn remove_socket(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(WireError::Remove { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
