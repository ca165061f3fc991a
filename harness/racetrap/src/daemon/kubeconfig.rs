//! Reads from the daemon's kubeconfig where the API server is and how a client authenticates.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::Kubeconfig;

/// A kubeconfig that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KubeconfigError {
    #[error("the daemon's kubeconfig cannot be used")]
    Unreadable(#[from] kube::config::KubeconfigError),
    #[error("the kubeconfig {path} {problem}")]
    Unexpected { path: PathBuf, problem: &'static str },
}

/// An API server, and what its clients need.
pub(crate) struct ApiServer {
    pub(crate) address: SocketAddr,
    /// Certificates of the authority that signed the server's certificate, as PEM.
    pub(crate) authority: String,
    /// Bearer token of the first user. Each start of the daemon makes a new one.
    pub(crate) token: String,
}

impl ApiServer {
    /// Reads the first cluster and the first token of the kubeconfig at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, KubeconfigError> {
        let unexpected = |problem| KubeconfigError::Unexpected { path: path.to_owned(), problem };
        let config = Kubeconfig::read_from(path)?;
        let named = config.clusters.iter().find_map(|named| named.cluster.as_ref());
        let cluster = named.ok_or_else(|| unexpected("names no cluster"))?;
        let address = cluster.server.as_deref().and_then(|url| parse_address(url, "https://"));
        let authority = cluster.certificate_authority_data.as_deref();
        let authority = authority.and_then(|data| STANDARD.decode(data).ok());
        let authority = authority.and_then(|pem| String::from_utf8(pem).ok());
        // The library keeps the token in a type that hides it; only its serialised form shows it.
        let users = config.auth_infos.iter().filter_map(|user| user.auth_info.as_ref());
        let users = users.filter_map(|user| serde_json::to_value(user).ok());
        let token = users.filter_map(|user| user["token"].as_str().map(str::to_owned)).next();
        Ok(Self {
            address: address.ok_or_else(|| unexpected("has no server with an address"))?,
            authority: authority.ok_or_else(|| unexpected("has no authority's certificate"))?,
            token: token.ok_or_else(|| unexpected("has no user with a token"))?,
        })
    }
}

/// The address in a URL that consists of `scheme`, such as `https://`, a host and a port.
pub(crate) fn parse_address(url: &str, scheme: &str) -> Option<SocketAddr> {
    let authority = url.strip_prefix(scheme)?.trim_end_matches('/');
    authority.to_socket_addrs().ok()?.next()
}
