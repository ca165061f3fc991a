//! A throw-away authority, and the one certificate that it signs.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// It could not be signed.
    #[error("it could not be signed")]
    Sign(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("TLS does not take it")]
    Use(#[from] rustls::Error),
}

/// What a server at 127.0.0.1 needs, and what its clients must trust.
pub(crate) struct Certificate {
    /// The authority's certificate as PEM. Its key is gone, so that it signs nothing else.
    pub(crate) authority: String,
    pub(crate) tls: Arc<ServerConfig>,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self, CertificateError> {
        let mut authority = CertificateParams::new(Vec::<String>::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority.distinguished_name.push(DnType::CommonName, "racetrap authority");
        let issuer_key = KeyPair::generate()?;
        let trusted = authority.self_signed(&issuer_key)?.pem();
        let issuer = Issuer::new(authority, issuer_key);

        let mut server = CertificateParams::new(["127.0.0.1".to_owned()])?;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.distinguished_name.push(DnType::CommonName, "racetrap");
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Self { authority: trusted, tls: Arc::new(tls) })
    }
}
