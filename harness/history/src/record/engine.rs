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
}

/// One event of the engine, as the side channel saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    /// `container`, `image` or `volume`.
    pub object: String,
    /// Such as `create`, `untag`, `destroy`.
    pub action: String,
    /// ID of the container or image, or name of the volume.
    pub id: String,
    /// The engine's clock, nanoseconds since the epoch.
    pub time_ns: i64,
}
