//! A server certificate for 127.0.0.1, signed by an authority that exists for this one certificate.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate could not be generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A key or a signature failed.
    #[error("it could not be signed")]
    Sign(#[from] rcgen::Error),
    /// TLS does not accept the certificate.
    #[error("TLS does not accept it")]
    Use(#[from] rustls::Error),
}

/// What a TLS server at 127.0.0.1 needs, and what its clients must trust.
pub(crate) struct Certificate {
    /// The authority's certificate as PEM. Its key is dropped after one signature, so that clients
    /// that trust the authority trust no other server by that.
    pub(crate) authority: String,
    /// The configuration of the server, with its certificate and key.
    pub(crate) tls: Arc<ServerConfig>,
}

impl Certificate {
    /// Generates an authority and a server certificate.
    pub(crate) fn generate() -> Result<Self, CertificateError> {
        // `Constrained(0)`: the authority may sign server certificates, but no other authority.
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
