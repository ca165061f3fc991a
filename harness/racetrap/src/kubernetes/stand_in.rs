//! The stand-in for the guest's k3s: an API server on the loopback interface, a wire before it at the
//! port that the daemon has chosen, and the kubeconfig that a guest would write.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use racetrap_history::{KubernetesState, What};
use racetrap_wire::{Authority, Dialect, Listen, TlsError, Upstream, Wire, WireConfig, WireError};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answers;
use super::kubeconfig::KubeconfigWatch;
use crate::certificate::{Certificate, CertificateError};
use crate::mask::canary;
use crate::recorder::Recorder;
use crate::wire_record::wire_message;

/// The stand-in could not be started, or not be ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StandInError {
    /// Its certificate could not be generated.
    #[error("the certificate of the stand-in for k3s could not be generated")]
    Certificate(#[from] CertificateError),
    /// The wire's certificate could not be generated.
    #[error("the certificate of the wire before the guest's Kubernetes could not be generated")]
    Tls(#[from] TlsError),
    /// It cannot listen.
    #[error("the stand-in for k3s cannot listen")]
    Listen(#[source] io::Error),
    /// The guest's kubeconfig cannot be written.
    #[error("the guest's kubeconfig {0} could not be written")]
    Write(PathBuf, #[source] io::Error),
    /// The user's kubeconfig cannot be watched.
    #[error("the user's kubeconfig could not be watched")]
    Watch(#[source] io::Error),
    /// The wire could not be started or closed.
    #[error("the wire before the guest's Kubernetes")]
    Wire(#[from] WireError),
}

/// The stand-in for the guest's k3s in one world. Dropping it ends the server.
pub(crate) struct StandIn {
    state: watch::Sender<KubernetesState>,
    authority: Authority,
    upstream: Upstream,
    wire: Option<Wire>,
    kubeconfig: KubeconfigWatch,
    recorder: Recorder,
    _server: JoinSet<()>,
}

impl StandIn {
    /// Starts the server, which nobody can reach before the first [`set`](Self::set), and watches the
    /// user's kubeconfig at `kubeconfig` in a task of `tasks`.
    pub(crate) async fn start(
        kubeconfig: PathBuf,
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, StandInError> {
        let kubeconfig = KubeconfigWatch::start(kubeconfig, tasks, recorder);
        let kubeconfig = kubeconfig.await.map_err(StandInError::Watch)?;
        let certificate = Certificate::generate()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(StandInError::Listen)?;
        let address = listener.local_addr().map_err(StandInError::Listen)?;
        let (state, seen) = watch::channel(KubernetesState::Absent);
        let mut server = JoinSet::new();
        let tls = TlsAcceptor::from(certificate.tls);
        server.spawn(answers::serve(listener, tls, token(), seen));
        let name = address.ip().to_string();
        Ok(Self {
            state,
            authority: Authority::new()?,
            upstream: Upstream::Tls { address, authority: certificate.authority, name },
            wire: None,
            kubeconfig,
            recorder: recorder.clone(),
            _server: server,
        })
    }

    /// Brings the guest's Kubernetes into a state. From the first state other than `absent` on, it can be
    /// reached at `port`, and its kubeconfig is at `config`.
    pub(crate) async fn set(
        &mut self,
        state: KubernetesState,
        port: u16,
        config: &Path,
    ) -> Result<(), StandInError> {
        self.state.send_replace(state);
        if state == KubernetesState::Absent {
            // Recorded first: what the daemon sees from here on follows from it.
            self.recorder.append(What::Kubernetes { state });
            return self.close_wire().await;
        }
        if self.wire.is_none() {
            self.wire = Some(self.open_wire(port).await?);
        }
        self.write_config(config, port)?;
        self.recorder.append(What::Kubernetes { state });
        Ok(())
    }

    /// Records the user's kubeconfig as it is at the beginning of a run.
    pub(crate) fn begin(&self) {
        self.kubeconfig.record_initial();
    }

    /// Records the changes of the user's kubeconfig up to now.
    pub(crate) fn record_changes(&self) {
        self.kubeconfig.record_changes();
    }

    /// The wire before the guest's Kubernetes, while that can be reached.
    pub(crate) fn wire(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    /// Closes the wire, so that connections are refused.
    pub(crate) async fn close_wire(&mut self) -> Result<(), StandInError> {
        match self.wire.take() {
            Some(wire) => Ok(wire.close().await?),
            None => Ok(()),
        }
    }

    async fn open_wire(&self, port: u16) -> Result<Wire, StandInError> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let recorder = self.recorder.clone();
        let config = WireConfig {
            listen: Listen::Tls { address, identity: self.authority.identity()? },
            upstream: self.upstream.clone(),
            dialect: Dialect::Kubernetes,
            sink: Arc::new(move |event| {
                recorder.append(What::KubernetesWire(wire_message(event)));
            }),
            tap: None,
        };
        Ok(Wire::start(config).await?)
    }

    /// Writes the kubeconfig as the guest's probe does. k3s listens at the same port inside the guest.
    fn write_config(&self, path: &Path, port: u16) -> Result<(), StandInError> {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "default",
            "clusters": [{"name": "default", "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority-data": STANDARD.encode(self.authority.pem()),
            }}],
            "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
            "users": [{"name": "default", "user": {"token": token()}}],
        });
        let temporary = path.with_extension("new");
        fs::write(&temporary, config.to_string())
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|error| StandInError::Write(path.to_owned(), error))
    }
}

/// The token of the only user. It is planted like every secret of a world.
fn token() -> String {
    canary::secret("K3s")
}
