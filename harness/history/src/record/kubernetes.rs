//! The guest's Kubernetes, and the user's kubeconfig: names and digests, without any secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::docker::FileChange;

/// The user's kubeconfig was found, or has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubeconfig {
    /// What happened to the file.
    pub how: FileChange,
    /// Permissions, such as `0600` in octal; 0 without a file.
    pub mode: u32,
    /// The content of the file.
    pub holds: KubeconfigContent,
}

/// The content of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KubeconfigContent {
    /// The file does not exist.
    Nothing,
    /// The file is no kubeconfig, or cannot be read.
    Broken {
        /// Length of the file in bytes.
        bytes: u64,
    },
    /// A kubeconfig.
    Config {
        /// `current-context`.
        current: String,
        /// A digest of each value: entries as `clusters/NAME`, `contexts/NAME` and `users/NAME`, and other
        /// keys by their names.
        members: BTreeMap<String, String>,
    },
}

/// The keys of a kubeconfig that have an entry of each cluster.
pub const KUBECONFIG_LISTS: [&str; 3] = ["clusters", "contexts", "users"];

impl fmt::Display for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = format!("{:?}", self.how).to_lowercase();
        write!(f, "the kubeconfig {how}: ")?;
        match &self.holds {
            KubeconfigContent::Nothing => f.write_str("nothing"),
            KubeconfigContent::Broken { bytes } => write!(f, "no kubeconfig in {bytes} bytes"),
            KubeconfigContent::Config { current, members } => {
                let keys: Vec<_> = members.keys().map(String::as_str).collect();
                let current = if current.is_empty() { "none" } else { current };
                write!(f, "current {current}; {} (mode {:04o})", keys.join(", "), self.mode)
            }
        }
    }
}
