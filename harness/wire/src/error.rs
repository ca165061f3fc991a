//! The errors that a user of the wire can get.
//!
//! They are below `transport`, which returns them, and `lifecycle`, which hands them on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::{InvalidDnsNameError, pem};

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// A wire could not be bound, or its socket could not be removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The path is longer than the path of a unix socket can be.
    #[error("{path} has {length} bytes, and a unix socket's path has at most {SOCKET_PATH_MAX}")]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// Another process already listens on this socket.
    #[error("{path} is busy: another process answers there")]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// The directory that should contain the socket does not exist.
    #[error("{path} could not be bound: there is no directory {parent}")]
    NoParent {
        /// The path.
        path: PathBuf,
        /// The missing directory.
        parent: PathBuf,
    },
    /// The operating system refused to bind the unix socket.
    #[error("{path} could not be bound")]
    Bind {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The operating system refused to bind the TCP address.
    #[error("{address} could not be bound")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The authority or the name of the upstream cannot be used.
    #[error("TLS to the upstream could not be set up")]
    Tls(#[from] TlsError),
    /// The socket file could not be removed.
    #[error("{path} could not be removed")]
    Remove {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A key or a certificate could not be generated.
    #[error("a certificate could not be generated")]
    Generate(#[from] rcgen::Error),
    /// The authority is not valid PEM.
    #[error("the upstream's authority is not valid PEM")]
    Pem(#[from] pem::Error),
    /// The authority's PEM contains no certificate.
    #[error("the upstream's authority contains no certificate")]
    NoAuthority,
    /// A certificate cannot be issued for this name.
    #[error("`{name}` is neither a host name nor an IP address")]
    Name {
        /// The name that was given.
        name: String,
        /// The reason.
        #[source]
        source: InvalidDnsNameError,
    },
    /// The TLS library rejected a certificate or a key.
    #[error("the certificates cannot be used")]
    Rejected(#[from] rustls::Error),
}
