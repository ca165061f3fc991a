//! The socket file: who may be bound there, and how it is made and removed.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use tokio::net::{UnixListener, UnixStream};

use crate::wire::WireError;

/// Longest path of a unix socket in bytes: `sun_path` is 108 bytes with its final NUL (unix(7)).
pub(crate) const PATH_MAX: usize = 107;

/// Binds the path, where nobody serves there.
pub(crate) async fn bind(path: &Path) -> Result<UnixListener, WireError> {
    let length = path.as_os_str().len();
    if length > PATH_MAX {
        return Err(WireError::TooLong { path: path.to_owned(), length });
    }
    match UnixStream::connect(path).await {
        Ok(_) => return Err(WireError::Busy { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => remove_stale(path)?,
        Err(_) => {}
    }
    listen(path)
}

/// Binds a path at which nothing is.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, WireError> {
    UnixListener::bind(path).map_err(|source| WireError::Bind { path: path.to_owned(), source })
}

/// Removes a socket file; one that is not there is what is wanted.
pub(crate) fn remove(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(WireError::Bind { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A connection is refused by a socket without an owner and by a file that is no socket at all;
/// only the former is removed, and `bind` tells of the latter.
fn remove_stale(path: &Path) -> Result<(), WireError> {
    let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
    if is_socket { remove(path) } else { Ok(()) }
}
