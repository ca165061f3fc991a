//! What was masked in a file, for the manifest.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::location::Location;

/// What one rule masked in a file: locations, never values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// The rule, such as `variable`.
    pub rule: String,
    /// How many values it masked.
    pub count: u64,
    /// The locations of the first ones: JSON pointers, lines, or arguments.
    pub places: Vec<String>,
}

/// How many locations are listed for each rule; the others are only counted.
const PLACES_MAX: usize = 20;

/// The rule that recognised a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Data of a Secret.
    SecretData,
    /// A variable of an environment that is not known to be harmless.
    Variable,
    /// A user's entry in a kubeconfig.
    KubeconfigUser,
    /// A registry's entry in a Docker configuration.
    RegistryAuth,
    /// The value under a name that announces a secret.
    NamedValue,
    /// An argument behind a flag or a word that announces a secret.
    Argument,
    /// A private key in PEM, also in base64.
    PrivateKey,
    /// A header that carries credentials.
    Header,
    /// A base64 text that is a JSON object, such as a JWT or the value of X-Registry-Auth.
    EncodedJson,
    /// A bearer token, or the credentials of basic authentication.
    Bearer,
    /// The password in an URL.
    UrlPassword,
    /// A key in the form that its issuer gives to all of them.
    IssuedKey,
}

/// The name in a manifest.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretData => "secret_data",
            Self::Variable => "variable",
            Self::KubeconfigUser => "kubeconfig_user",
            Self::RegistryAuth => "registry_auth",
            Self::NamedValue => "named_value",
            Self::Argument => "argument",
            Self::PrivateKey => "private_key",
            Self::Header => "header",
            Self::EncodedJson => "encoded_json",
            Self::Bearer => "bearer",
            Self::UrlPassword => "url_password",
            Self::IssuedKey => "issued_key",
        })
    }
}

/// What was masked, by rule: locations, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    by_rule: BTreeMap<Rule, RuleHits>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RuleHits {
    count: u64,
    places: Vec<String>,
}

impl Hits {
    /// Counts a secret that was masked at `location`.
    pub(super) fn add(&mut self, rule: Rule, location: &Location<'_>) {
        let hits = self.by_rule.entry(rule).or_default();
        hits.count += 1;
        if hits.places.len() < PLACES_MAX {
            hits.places.push(location.to_string());
        }
    }

    /// Whether nothing was masked.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_rule.is_empty()
    }

    /// The form of a manifest, in the order of the rules.
    pub(crate) fn by_rule(&self) -> Vec<Masked> {
        let masked = self.by_rule.iter().map(|(rule, hits)| Masked {
            rule: rule.to_string(),
            count: hits.count,
            places: hits.places.clone(),
        });
        masked.collect()
    }
}
