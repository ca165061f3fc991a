//! Starts the server of reviews, and puts it in force in the daemon's API.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::time::Duration;

use k8s_openapi::ByteString;
use racetrap_history::WriteMatch;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::gate::{DenyGuard, Desk, WriteGate};
use super::server::{Clerk, PROBE, serve};
use crate::certificate::{Certificate, CertificateError};
use crate::chain::chain;
use crate::daemon::api::{Api, ApiError};
use crate::recorder::Recorder;
use crate::wait::{NotReached, polled};

/// How long the API server may take to ask; it learns of webhooks by a watch of its own.
const FORCE_LIMIT: Duration = Duration::from_secs(30);

/// What Kubernetes allows at most for the answer to a review, in seconds.
const REVIEW_SECONDS_MAX: u32 = 30;

/// Writes to the daemon's API cannot be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmissionError {
    /// There is no port for the server.
    #[error("there is no port for admission reviews")]
    Port(#[source] io::Error),
    /// There is no certificate for it.
    #[error("there is no certificate for admission reviews")]
    Certificate(#[from] CertificateError),
    /// The daemon's API does not take the webhook.
    #[error("the daemon's API does not take an admission webhook")]
    Api(#[from] ApiError),
    /// The daemon's API took it, but does not ask it.
    #[error("the daemon's API does not ask its admission webhook")]
    NotInForce(#[from] NotReached),
}

/// A server of reviews, which decides on writes to the daemon's API.
pub(crate) struct Admission {
    address: SocketAddr,
    authority: String,
    desk: Desk,
    probes: watch::Receiver<u64>,
}

impl Admission {
    /// Starts the server, in a task of `tasks`. It decides nothing until it is installed.
    ///
    /// # Errors
    /// Where it gets no port or no certificate.
    pub(crate) fn start(
        tasks: &mut JoinSet<()>,
        recorder: &Recorder,
    ) -> Result<Self, AdmissionError> {
        let Certificate { authority, tls } = Certificate::generate()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        let listener = listener.map_err(AdmissionError::Port)?;
        let address = listener.local_addr().map_err(AdmissionError::Port)?;
        let (told, probes) = watch::channel(0);
        let desk = Desk::new(recorder);
        let clerk = Clerk { desk: desk.clone(), probes: told };
        tasks.spawn(serve(listener, TlsAcceptor::from(tls), clerk));
        Ok(Self { address, authority, desk, probes })
    }

    /// Tells the daemon's API of the server, and returns when it is asked about writes. To be done
    /// again after each start of the daemon, for the proof.
    ///
    /// # Errors
    /// Where the API refuses the webhook, or does not ask it within half a minute.
    pub(crate) async fn install(&self, api: &Api) -> Result<(), AdmissionError> {
        api.set_webhook(&self.configuration()).await?;
        let before = *self.probes.borrow();
        // An API server learns of its webhooks by a watch, and does not tell when it has.
        let asked = polled("an admission review of a probe", FORCE_LIMIT, async || {
            let written = api.probe_write(PROBE).await;
            if *self.probes.borrow() > before {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(match written {
                Ok(()) => "the probe was written without one".to_owned(),
                Err(error) => chain(&error),
            })
        });
        Ok(asked.await?)
    }

    /// Arms a gate that stops the write which `on` means. Names in `on` are those of the API.
    pub(crate) fn hold(&self, name: &str, on: WriteMatch) -> WriteGate {
        self.desk.hold(name, on)
    }

    /// Denies so many of the writes that `on` means, from its n-th on; all, without a number.
    pub(crate) fn deny(&self, rule: &str, on: WriteMatch, times: Option<u32>) -> DenyGuard {
        self.desk.deny(rule, on, times)
    }

    /// What happens to the harness must not happen to the daemon: where the webhook does not
    /// answer, the write goes on.
    pub(super) fn configuration(&self) -> Value {
        let rule = |group: &str, resources: &[&str]| {
            json!({
                "apiGroups": [format!("{group}.rancherdesktop.io")],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": resources,
            })
        };
        let mirrors = [
            "containers",
            "containers/status",
            "images",
            "images/status",
            "volumes",
            "volumes/status",
        ];
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": { "name": "racetrap" },
            "webhooks": [{
                "name": "admission.racetrap.dev",
                "clientConfig": {
                    "url": format!("https://{}/review", self.address),
                    "caBundle": ByteString(self.authority.clone().into_bytes()),
                },
                "rules": [rule("containers", &mirrors), rule("app", &["apps", "apps/status"])],
                "failurePolicy": "Ignore",
                "timeoutSeconds": REVIEW_SECONDS_MAX,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        })
    }
}
