//! The truth: what the engine holds, as seen on a side channel that no fault touches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Label by which the harness's images carry the alias that the scenario gave them.
pub const IMAGE_LABEL: &str = "racetrap.variant";

/// Everything that the engine holds at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineState {
    /// By full ID.
    pub containers: BTreeMap<String, EngineContainer>,
    /// By ID, including the digest's algorithm.
    pub images: BTreeMap<String, EngineImage>,
    /// By name.
    pub volumes: BTreeMap<String, EngineVolume>,
}

/// A container, as the engine's inspect reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineContainer {
    /// Name without the leading slash.
    pub name: String,
    /// ID of its image.
    pub image: String,
    /// The engine's own word for its state.
    pub state: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Everything else of it; none in older journals, and then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<ContainerDetails>,
}

/// The fields of a container that old journals do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDetails {
    /// Path of its program.
    pub path: String,
    /// Arguments of its program.
    pub args: Vec<String>,
    /// Bindings on the host by port, such as `80/tcp`; none if the port is exposed only.
    pub ports: BTreeMap<String, Vec<PortBinding>>,
    /// Process ID of its program; 0 if it does not run.
    pub pid: i64,
    /// Exit code of its last run.
    pub exit_code: i64,
    /// Why it could not be started; empty if it could.
    pub error: String,
    /// When it was created, in RFC 3339 with fractions, as all times of the engine; the year 1 and an
    /// empty text mean "never".
    pub created_at: String,
    /// When it was started last.
    pub started_at: String,
    /// When it ended last.
    pub finished_at: String,
}

/// Where a port of a container can be reached on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortBinding {
    /// Address.
    pub host_ip: String,
    /// Port, as text.
    pub host_port: String,
}

/// An image, as the engine's inspect reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineImage {
    /// Tags; none means that it is dangling.
    pub tags: Vec<String>,
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub architecture: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Everything else of it; none in older journals, and then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<ImageDetails>,
}

/// The fields of an image that old journals do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// Names with a digest, such as `name@sha256:…`.
    pub repo_digests: Vec<String>,
    /// Size in bytes.
    pub size: i64,
    /// When it was made, in RFC 3339; the year 1 and an empty text mean that nobody knows.
    pub created_at: String,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineVolume {
    /// Driver.
    pub driver: String,
    /// Where it lies in the engine's file system.
    pub mountpoint: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Everything else of it; none in older journals, and then it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<VolumeDetails>,
}

/// The fields of a volume that old journals do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeDetails {
    /// `local` or `global`.
    pub scope: String,
    /// Options of its driver.
    pub options: BTreeMap<String, String>,
    /// When it was created, in RFC 3339; the year 1 and an empty text mean that nobody knows.
    pub created_at: String,
}

/// One event of the engine, as the side channel saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    /// `container`, `image`, `volume` or `network`.
    pub object: String,
    /// Such as `create`, `untag`, `destroy`.
    pub action: String,
    /// ID of the container, image or network, or name of the volume.
    pub id: String,
    /// ID of the container that got or lost this network or volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The engine's clock, nanoseconds since the epoch.
    pub time_ns: i64,
}
