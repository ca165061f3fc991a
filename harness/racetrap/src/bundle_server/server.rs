//! The sockets of a bundle server, and everything that clients need to connect to them.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::api::{CapturedApi, check_token};
use super::connections::{Handler, serve_tls, serve_unix};
use super::engine::CapturedEngine;
use super::world::CapturedWorld;
use crate::certificate::{Certificate, CertificateError};
use crate::sys::{SOCKET_PATH_MAX, private, random};

/// Serves a captured world until it is closed. Kubeconfig and socket are in a temporary directory
/// that only its owner can read, and that is removed at the end.
#[derive(Debug)]
pub(crate) struct BundleServer {
    directory: TempDir,
    kubeconfig: Option<PathBuf>,
    socket: Option<PathBuf>,
    servers: JoinSet<io::Error>,
}

/// A bundle server could not be started on this machine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("sockets and configuration could not be created")]
    Io(#[from] io::Error),
    #[error(
        "{path} is too long for a unix socket, whose path holds {SOCKET_PATH_MAX} bytes; let TMPDIR \
         name another directory"
    )]
    TooLong { path: PathBuf },
    #[error("a certificate could not be made")]
    Certificate(#[from] CertificateError),
}

impl BundleServer {
    /// Starts an API server and an engine, as far as the world has them.
    pub(crate) async fn start(world: &CapturedWorld) -> Result<Self, StartError> {
        let mut directory = tempfile::Builder::new();
        let directory = directory.prefix("racetrap-open-").permissions(private()).tempdir()?;
        let mut server =
            Self { directory, kubeconfig: None, socket: None, servers: JoinSet::new() };
        if let Some(api) = &world.api {
            server.start_api(api.clone()).await?;
        }
        if let Some(engine) = &world.engine {
            server.start_engine(engine.clone())?;
        }
        Ok(server)
    }

    async fn start_api(&mut self, api: Arc<CapturedApi>) -> Result<(), StartError> {
        let token = URL_SAFE_NO_PAD.encode(random()?);
        // The kernel chooses a free port.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let Certificate { authority, tls } = Certificate::generate()?;
        let address = format!("https://{}", listener.local_addr()?);
        let path = self.path().join("kubeconfig");
        let text = kubeconfig(&address, &authority, &token, api.namespace());
        // Within the private directory, so no other user can read the token.
        File::create_new(&path)?.write_all(text.as_bytes())?;
        self.kubeconfig = Some(path);
        // Every program of this machine can connect to the port, so each request must have the
        // token.
        let handler: Handler = Arc::new(move |request| {
            check_token(request, &token).err().unwrap_or_else(|| api.respond(request))
        });
        self.servers.spawn(serve_tls(listener, TlsAcceptor::from(tls), handler));
        Ok(())
    }

    fn start_engine(&mut self, engine: Arc<CapturedEngine>) -> Result<(), StartError> {
        let path = self.path().join("docker.sock");
        if path.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(StartError::TooLong { path });
        }
        // The directory keeps other users away from the socket, so clients need no token.
        let listener = UnixListener::bind(&path)?;
        self.socket = Some(path);
        let handler: Handler = Arc::new(move |request| engine.respond(request));
        self.servers.spawn(serve_unix(listener, handler));
        Ok(())
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The value for `KUBECONFIG`; `None` if there is no API server.
    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// The value for `DOCKER_HOST`; `None` if there is no engine.
    pub(crate) fn docker_host(&self) -> Option<String> {
        self.socket.as_ref().map(|path| format!("unix://{}", path.display()))
    }

    /// Waits until one of the servers fails, and returns its error. Cancel-safe: the servers run in
    /// tasks of their own.
    pub(crate) async fn failed(&mut self) -> io::Error {
        match self.servers.join_next().await {
            Some(Ok(error)) => error,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(Err(_)) | None => io::Error::other("nothing is served"),
        }
    }

    /// Ends all connections and removes the directory.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.servers.shutdown().await;
        self.directory.close()
    }
}

/// A kubeconfig with one user, cluster and context. It is JSON, which is also YAML and needs no
/// further quoting.
fn kubeconfig(server: &str, authority: &str, token: &str, namespace: &str) -> String {
    const NAME: &str = "racetrap-open";
    let authority = STANDARD.encode(authority);
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

    // Other users can neither connect to the socket nor read the token, and nothing is left at the
    // end.
    #[tokio::test]
    async fn only_the_owner_can_enter_the_directory_and_it_is_removed_at_the_end() {
        let world = CapturedWorld { api: Some(Arc::default()), engine: Some(Arc::default()) };
        let server = BundleServer::start(&world).await.expect("room for a socket");
        let directory = server.path().to_owned();
        let mode = fs::metadata(&directory).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 2);
        assert!(server.kubeconfig().is_some_and(|path| path.starts_with(&directory)));
        server.close().await.expect("it can be removed");
        assert!(!directory.exists());
    }
}
