//! Certificates, and the settings of TLS on both sides of the wire.
//!
//! The wire is a TLS server for its clients and a TLS client of its upstream. Clients trust the
//! wire because their kubeconfig contains the certificate of its [`Authority`], which exists only
//! as long as the process. The wire verifies the upstream by the authority in the upstream's own
//! kubeconfig. Both sides negotiate HTTP/1.1, the only version that the wire reads. The wire
//! forwards bearer tokens, because they are header fields. It cannot forward a client certificate,
//! because it has not the private key; so it neither requests one from its clients nor sends one to
//! its upstream.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::error::TlsError;

/// The only protocol that the wire offers and accepts (ALPN, RFC 7301).
const PROTOCOL: &[u8] = b"http/1.1";

/// A certificate authority for one run. Clients that trust it trust the wire.
pub struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// The certificate that a wire presents to its clients, and its private key, which is never written
/// to disk. The certificate is valid for the loopback interface.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
}

impl Authority {
    /// Generates a new authority (ECDSA P-256).
    ///
    /// # Errors
    /// If the key or the certificate cannot be generated.
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        // It may issue identities, but no further authorities.
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

    /// The certificate of the authority as PEM. A client's kubeconfig needs it, base64-encoded, as
    /// `certificate-authority-data`.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a new identity for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// If the key or the certificate cannot be generated.
    pub fn identity(&self) -> Result<Identity, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name.push(DnType::CommonName, "racetrap wire");
        let certificate = params.signed_by(&key, &self.issuer)?;
        // With the authority, for clients that show or check the whole chain.
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

/// A connector that trusts servers with a certificate from one of these authorities (PEM).
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

/// Parses the name that the certificate of the upstream must be valid for.
pub(crate) fn server_name(name: String) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.clone()).map_err(|source| TlsError::Name { name, source })
}

/// Names the provider, because rustls has no default in a program that links two of them.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
