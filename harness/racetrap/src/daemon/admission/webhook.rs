//! Starts the webhook's server and registers it with the daemon's API.

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

use super::each::HoldEachWrite;
use super::gate::{DenyGuard, WriteGate};
use super::reviewer::Reviewer;
use super::server::{PROBE, ReviewContext, serve};
use crate::certificate::{Certificate, CertificateError};
use crate::chain::chain;
use crate::daemon::api::{Api, ApiError};
use crate::recorder::Recorder;
use crate::wait::{NotReached, polled};

/// How long the API server may take until it asks the webhook: it learns about webhooks by a watch.
const FORCE_LIMIT: Duration = Duration::from_secs(30);

/// How long the API server waits for the answer to a review, in seconds: the maximum of Kubernetes.
const REVIEW_SECONDS_MAX: u32 = 30;

/// The admission webhook could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmissionError {
    /// The server could not listen.
    #[error("the server of admission reviews could not listen on the loopback interface")]
    Port(#[source] io::Error),
    /// The server's certificate could not be made.
    #[error("the certificate of the admission webhook could not be made")]
    Certificate(#[from] CertificateError),
    /// The daemon's API server refused the webhook.
    #[error("the daemon's API server refused the admission webhook")]
    Api(#[from] ApiError),
    /// The daemon's API server accepted the webhook, but does not ask it.
    #[error("the daemon's API server does not ask the admission webhook")]
    NotInForce(#[from] NotReached),
}

/// The webhook: a server that decides on writes to the daemon's API.
pub(crate) struct Admission {
    address: SocketAddr,
    authority: String,
    reviewer: Reviewer,
    probes: watch::Receiver<u64>,
    /// Whether writes of LimaVMs are reviewed as well.
    has_vms: bool,
}

impl Admission {
    /// Starts the server in a task of `tasks`. The API server does not ask it before
    /// [`install`](Self::install).
    ///
    /// # Errors
    /// If it gets no port or no certificate.
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
        let (counter, probes) = watch::channel(0);
        let reviewer = Reviewer::new(recorder);
        let context = ReviewContext { reviewer: reviewer.clone(), probes: counter };
        tasks.spawn(serve(listener, TlsAcceptor::from(tls), context));
        Ok(Self { address, authority, reviewer, probes, has_vms: false })
    }

    /// Lets writes of LimaVMs be reviewed as well, if the daemon runs VMs.
    pub(crate) fn with_vms(self, has_vms: bool) -> Self {
        Self { has_vms, ..self }
    }

    /// Registers the webhook with the daemon's API, and returns when the API server asks it about
    /// writes. Must be called again after each start of the daemon, which has to learn about the
    /// webhook again.
    ///
    /// # Errors
    /// If the API server refuses the webhook, or does not ask it within half a minute.
    pub(crate) async fn install(&self, api: &Api) -> Result<(), AdmissionError> {
        api.set_webhook(&self.configuration()).await?;
        let before = *self.probes.borrow();
        // Nothing announces that the API server's watch has seen the webhook. So dry runs of a
        // write are sent until one of them is reviewed.
        let asked = polled("an admission review of a probe", FORCE_LIMIT, async || {
            let written = api.probe_write(PROBE).await;
            if *self.probes.borrow() > before {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(match written {
                Ok(()) => "the API server accepted the probe without a review".to_owned(),
                Err(error) => chain(&error),
            })
        });
        Ok(asked.await?)
    }

    /// Arms a gate that holds the n-th write that `on` matches. Names in `on` are those of the API.
    pub(crate) fn hold(&self, name: &str, on: WriteMatch) -> WriteGate {
        self.reviewer.hold(name, on)
    }

    /// Holds every write of the daemon until each is released; their names begin with `prefix`.
    pub(crate) fn hold_each(&self, prefix: &str) -> HoldEachWrite {
        self.reviewer.hold_each(prefix)
    }

    /// Arms a rule that denies `times` writes that `on` matches, beginning with the n-th; without
    /// `times`, all of them.
    pub(crate) fn deny(&self, rule: &str, on: WriteMatch, times: Option<u32>) -> DenyGuard {
        self.reviewer.deny(rule, on, times)
    }

    /// The configuration as the API server gets it. Its failure policy is `Ignore`: a webhook that
    /// does not answer must not stop the daemon's writes.
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
        let mut rules = vec![rule("containers", &mirrors), rule("app", &["apps", "apps/status"])];
        rules.extend(self.has_vms.then(|| rule("lima", &["limavms", "limavms/status"])));
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
                "rules": rules,
                "failurePolicy": "Ignore",
                "timeoutSeconds": REVIEW_SECONDS_MAX,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        })
    }
}
