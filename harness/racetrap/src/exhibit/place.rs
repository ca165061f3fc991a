//! Where an exhibit is while it is open: a directory of its own, which goes with it.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Exhibit;
use super::api::refuse_stranger;
use super::serve::{Answer, on_port, on_socket};
use crate::certificate::{Certificate, CertificateError};
use crate::sys::{SOCKET_PATH_MAX, private, random};

/// An exhibit that is open.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
    kubeconfig: Option<PathBuf>,
    socket: Option<PathBuf>,
    servers: JoinSet<io::Error>,
}

/// An exhibit that cannot be shown on this machine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotShown {
    #[error("there is no place for sockets and configuration")]
    Io(#[from] io::Error),
    #[error(
        "{path} is too long for a unix socket, whose path holds {SOCKET_PATH_MAX} bytes; let TMPDIR \
         name another directory"
    )]
    TooLong { path: PathBuf },
    #[error("there is no certificate")]
    Certificate(#[from] CertificateError),
}

impl Place {
    /// Makes the directory, and serves from there.
    pub(crate) async fn open(exhibit: &Exhibit) -> Result<Self, NotShown> {
        let mut directory = tempfile::Builder::new();
        let directory = directory.prefix("racetrap-open-").permissions(private()).tempdir()?;
        let mut place = Self { directory, kubeconfig: None, socket: None, servers: JoinSet::new() };
        if let Some(objects) = &exhibit.objects {
            let token = hex::encode(random()?);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let Certificate { authority, tls } = Certificate::generate()?;
            let server = format!("https://{}", listener.local_addr()?);
            let path = place.path().join("kubeconfig");
            let text = kubeconfig(&server, &authority, &token, objects.namespace());
            File::create_new(&path)?.write_all(text.as_bytes())?;
            place.kubeconfig = Some(path);
            let objects = objects.clone();
            let answer: Answer = Arc::new(move |question| {
                refuse_stranger(question, &token).unwrap_or_else(|| objects.answer(question))
            });
            place.servers.spawn(on_port(listener, TlsAcceptor::from(tls), answer));
        }
        if let Some(holdings) = &exhibit.holdings {
            let path = place.path().join("docker.sock");
            if path.as_os_str().len() > SOCKET_PATH_MAX {
                return Err(NotShown::TooLong { path });
            }
            let listener = UnixListener::bind(&path)?;
            place.socket = Some(path);
            let holdings = holdings.clone();
            let answer: Answer = Arc::new(move |question| holdings.answer(question));
            place.servers.spawn(on_socket(listener, answer));
        }
        Ok(place)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What `KUBECONFIG` must be; none, where there is no API server.
    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// What `DOCKER_HOST` must be; none, where there is no engine.
    pub(crate) fn docker_host(&self) -> Option<String> {
        self.socket.as_ref().map(|path| format!("unix://{}", path.display()))
    }

    /// Waits until a server cannot go on, and says why. Cancel-safe: nothing is lost with the waiting.
    pub(crate) async fn broken(&mut self) -> io::Error {
        match self.servers.join_next().await {
            Some(Ok(error)) => error,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(Err(_)) | None => io::Error::other("nothing is served"),
        }
    }

    /// Ends all connections, and removes the directory.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.servers.shutdown().await;
        self.directory.close()
    }
}

/// JSON is YAML, and nothing in it needs to be escaped twice.
fn kubeconfig(server: &str, authority: &str, token: &str, namespace: &str) -> String {
    use base64::Engine as _;
    const NAME: &str = "racetrap-open";
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": NAME,
            "cluster": { "server": server, "certificate-authority-data": authority },
        }],
        "users": [{ "name": NAME, "user": { "token": token } }],
        "contexts": [{
            "name": NAME,
            "context": { "cluster": NAME, "user": NAME, "namespace": namespace },
        }],
        "current-context": NAME,
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    // Nobody else may connect to the socket, or read the token, and nothing is left at the end.
    #[tokio::test]
    async fn the_directory_is_the_owners_alone_and_goes_at_the_end() {
        let exhibit = Exhibit { objects: Some(Arc::default()), holdings: Some(Arc::default()) };
        let place = Place::open(&exhibit).await.expect("room for a socket");
        let directory = place.path().to_owned();
        let mode = fs::metadata(&directory).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 2);
        assert!(place.kubeconfig().is_some_and(|path| path.starts_with(&directory)));
        place.close().await.expect("it can be removed");
        assert!(!directory.exists());
    }
}
