//! Certificates, and what is promised with them.
//!
//! The wire is the server of its clients and a client of its upstream. Clients trust it because
//! their kubeconfig names its [`Authority`], which lives no longer than the process; the upstream
//! is verified by the authority of its own kubeconfig. Both sides agree on HTTP/1.1, which is all
//! that the wire reads. Bearer tokens are fields of a head and pass through; client certificates
//! cannot, so that none is asked for and none is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The only protocol that is offered and accepted (ALPN, RFC 7301).
const PROTOCOL: &[u8] = b"http/1.1";

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate cannot be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// The authority is no PEM.
    #[error("the upstream's authority is no PEM")]
    Pem(#[from] pem::Error),
    /// The authority's PEM has no certificate in it.
    #[error("the upstream's authority holds no certificate")]
    NoAuthority,
    /// No certificate can be for this.
    #[error("`{name}` is neither a host's name nor an IP address")]
    Name {
        /// What was given.
        name: String,
        /// Why not.
        #[source]
        source: InvalidDnsNameError,
    },
    /// TLS does not take what it was given.
    #[error("the certificates cannot be used")]
    Use(#[from] rustls::Error),
}

/// A throw-away authority, by which clients know the wire.
pub struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// What a wire shows to its clients: a certificate for the loopback interface, and its key, which
/// is never written anywhere.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
}

impl Authority {
    /// Makes a new one (ECDSA P-256).
    ///
    /// # Errors
    /// Where no key or certificate can be made.
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "racetrap wire authority");
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Its certificate as PEM: what a client's kubeconfig is to name as
    /// `certificate-authority-data`, encoded.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A new identity for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// Where no key or certificate can be made.
    pub fn identity(&self) -> Result<Identity, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name.push(DnType::CommonName, "racetrap wire");
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        config.alpn_protocols = vec![PROTOCOL.to_owned()];
        Ok(Identity { config: Arc::new(config) })
    }
}

impl Identity {
    pub(crate) fn acceptor(self) -> TlsAcceptor {
        self.config.into()
    }
}

/// Connects to whom one of these authorities (PEM) has certified.
pub(crate) fn connector(authority: &str) -> Result<TlsConnector, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_owned()];
    Ok(Arc::new(config).into())
}

/// The name that a certificate must be for.
pub(crate) fn server_name(name: String) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.clone()).map_err(|source| TlsError::Name { name, source })
}

/// Named here, because two providers in one program leave no default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
