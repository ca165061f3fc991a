//! Binds the socket on which a wire listens, closes it and binds it again, and accepts clients.

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

use crate::error::{SOCKET_PATH_MAX, WireError};
use crate::transport::halves::{self, Reader, Writer};
use crate::transport::tls::Identity;

/// Where a wire listens.
#[derive(Clone)]
pub enum Listen {
    /// Path of a unix socket. No other process may listen there.
    Unix(PathBuf),
    /// TLS over TCP. The wire accepts HTTP/1.1 only.
    Tls {
        /// Address to bind. With port 0 the system chooses a port;
        /// [`Wire::address`](crate::Wire::address) returns it.
        address: SocketAddr,
        /// The certificate that the wire presents, issued by an [`Authority`](crate::Authority).
        identity: Identity,
    },
}

/// The address on which a wire listens. It stays the wire's own while nothing listens there.
pub(crate) struct Endpoint {
    place: ListenAddress,
    /// The runtime that polls the listener. It is kept here because `open` may be called on a
    /// thread outside the runtime, such as one that drops a `Refusal`.
    runtime: Handle,
    /// None while connections are refused. It is polled only under the lock, so that no connection
    /// is accepted any more as soon as `close` has taken the listener.
    listener: Mutex<Option<Listener>>,
    /// Wakes `accept` when there is a new listener.
    bound: Notify,
}

enum ListenAddress {
    Unix(PathBuf),
    Tls {
        /// With the port that the system chose.
        address: SocketAddr,
        acceptor: TlsAcceptor,
        /// Is bound to the port and never listens. It reserves the port while connections are
        /// refused, because a system does not choose a bound port for another socket.
        _reserved: TcpSocket,
    },
}

#[derive(Debug)]
enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A client that has connected and not sent anything yet.
pub(crate) enum Accepted {
    Unix(UnixStream),
    Tls(TcpStream, SocketAddr, TlsAcceptor),
}

impl Endpoint {
    /// Binds a socket where no other process listens.
    pub(crate) async fn bind(listen: Listen) -> Result<Self, WireError> {
        let place = match listen {
            Listen::Unix(path) => {
                clear_path(&path).await?;
                ListenAddress::Unix(path)
            }
            Listen::Tls { address, identity } => {
                let (reserved, address) =
                    reserve(address).map_err(|source| WireError::Address { address, source })?;
                ListenAddress::Tls { address, acceptor: identity.acceptor(), _reserved: reserved }
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

    /// The address, with the port that the system chose; none on a unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match &self.place {
            ListenAddress::Unix(_) => None,
            ListenAddress::Tls { address, .. } => Some(*address),
        }
    }

    /// Binds the socket again and listens. May be called outside a runtime, for example by the drop
    /// of a guard.
    pub(crate) fn open(&self) -> Result<(), WireError> {
        let _entered = self.runtime.enter();
        let listener = match &self.place {
            ListenAddress::Unix(path) => UnixListener::bind(path)
                .map(Listener::Unix)
                .map_err(|source| WireError::Bind { path: path.clone(), source }),
            ListenAddress::Tls { address, .. } => listen(*address)
                .map(Listener::Tcp)
                .map_err(|source| WireError::Address { address: *address, source }),
        };
        *self.listener() = Some(listener?);
        self.bound.notify_one();
        Ok(())
    }

    /// Stops listening. When this returns, nobody can connect any more, and the kernel has reset
    /// the connections that had not been accepted. Accepted connections are not affected.
    pub(crate) fn close(&self) -> Result<(), WireError> {
        // The file first. A client that looks between the two steps finds no socket, as without a
        // wire, and not a socket that refuses it.
        let removed = match &self.place {
            ListenAddress::Unix(path) => remove_socket(path),
            ListenAddress::Tls { .. } => Ok(()),
        };
        self.listener().take();
        removed
    }

    /// Waits for the next client. Cancel-safe: a client that was not returned stays in the kernel's
    /// queue.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        loop {
            tokio::select! {
                // Cancel-safe: the closure keeps no state between polls.
                accepted = poll_fn(|context| self.poll_accept(context)) => return accepted,
                // Cancel-safe: the permit of `notify_one` stays until it is taken. The loop then
                // polls the new listener, which has not registered this task yet.
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
            (Some(Listener::Tcp(listener)), ListenAddress::Tls { acceptor, .. }) => {
                let (stream, peer) = ready!(listener.poll_accept(context))?;
                Poll::Ready(Ok(Accepted::Tls(stream, peer, acceptor.clone())))
            }
            (Some(Listener::Tcp(_)), ListenAddress::Unix(_)) => {
                unreachable!("a unix socket has no TCP listener")
            }
            // Nothing can connect. `bound` wakes this task when there is a listener again.
            (None, _) => Poll::Pending,
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Listener>> {
        self.listener.lock().expect("no code panics while it holds the listener")
    }
}

impl Accepted {
    /// The client's address; none on a unix socket.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(_) => None,
            Self::Tls(_, peer, _) => Some(*peer),
        }
    }

    /// Completes the TLS handshake, if there is one.
    pub(crate) async fn handshake(self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Unix(stream) => Ok(halves::unix(stream)),
            Self::Tls(stream, _, acceptor) => {
                stream.set_nodelay(true)?;
                acceptor.accept(stream).await.map(|stream| halves::tls(stream.into()))
            }
        }
    }
}

/// Reserves a port, and returns the reserving socket and the address with the port.
fn reserve(address: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Both sockets on the port, this one and the listener, must allow the other.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// Listens on a reserved port. The standard library sets `SO_REUSEADDR` on its listeners, which
/// allows the reserving socket; tokio's own `bind` is async and could not be called by a drop.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Checks that a unix socket can be bound at the path, and removes a socket file that nobody
/// serves.
async fn clear_path(path: &Path) -> Result<(), WireError> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(WireError::TooLong { path: path.to_owned(), length });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(WireError::NoParent { path: path.to_owned(), parent: parent.to_owned() });
    }
    // Only connecting shows whether a process serves a socket file: the file outlives its process.
    match UnixStream::connect(path).await {
        Ok(_) => Err(WireError::Busy { path: path.to_owned() }),
        // Connecting to a file of another kind is refused, too. Such a file is not the wire's to
        // remove.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            remove_socket(path)
        }
        Err(_) => Ok(()),
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Removes a socket file. It is no error if there is none.
fn remove_socket(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(WireError::Remove { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
