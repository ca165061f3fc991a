//! What a new container consists of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A new container. It sleeps once it is started, unless it is told to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContainer {
    /// Its name.
    pub name: String,
    /// Alias of an image.
    pub image: String,
    /// Start it too.
    #[serde(default)]
    pub start: bool,
    /// Volumes that it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// What it prints, where it shall not only sleep.
    #[serde(default, skip_serializing_if = "Prints::is_nothing")]
    pub prints: Prints,
    /// Replaces the image's entry point, which is the images' program; `prints.command` are its
    /// arguments then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Labels, beside those of its image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Variables, beside those of its image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Ports such as `80/tcp`, which is only exposed, or `8080:80/tcp`, which is published at port
    /// 8080 of the loopback interface. World's engines have no bridge, so that the engine keeps the
    /// wish, and opens no port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// Restart policy: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// The engine removes it as soon as it has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_remove: bool,
    /// How the engine checks its health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
}

/// What a container runs: the words of the images' own program, which documents them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prints {
    /// Its command, such as `[lines, "3", --stay]`; it sleeps, where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// It has a terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tty: bool,
    /// The engine's driver for its log; `json-file` replaces what is not UTF-8, and `local` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_driver: Option<String>,
    /// Options of that driver, such as `max-size: 1k` and `max-file: "2"`, with which it rotates the
    /// log.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub log_options: BTreeMap<String, String>,
}

impl Prints {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// How the engine checks a container's health: by a command that it runs in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The command, such as `[/probe, exit, "0"]`; the container is healthy if it exits with 0.
    pub command: Vec<String>,
    /// Milliseconds from one check to the next.
    #[serde(default = "second")]
    pub interval_ms: u32,
    /// Milliseconds that a check may take.
    #[serde(default = "second")]
    pub timeout_ms: u32,
    /// How many checks must fail in a row.
    #[serde(default = "one")]
    pub retries: u32,
}

fn second() -> u32 {
    1000
}

fn one() -> u32 {
    1
}
