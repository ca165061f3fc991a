//! Which object of the engine a mirror stands for.

use std::fmt;

/// Which object of the engine a mirror stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MirrorKey {
    /// A container, by ID.
    Container(String),
    /// One tag of an image, or an image without a tag.
    Image {
        /// Image ID.
        id: String,
        /// The tag; none for a dangling image.
        tag: Option<String>,
    },
    /// A volume, by name.
    Volume(String),
    /// A mirror whose status does not say what it stands for.
    Blank {
        /// Plural name of its kind.
        resource: String,
        /// Its own name.
        name: String,
    },
}

impl MirrorKey {
    /// The engine's ID of the container or image, or the name of the volume; none of a blank mirror.
    pub(crate) fn engine_id(&self) -> Option<&str> {
        match self {
            Self::Container(id) | Self::Volume(id) | Self::Image { id, .. } => Some(id),
            Self::Blank { .. } => None,
        }
    }
}

impl fmt::Display for MirrorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(id) => write!(f, "container {}", short(id)),
            Self::Image { id, tag: Some(tag) } => write!(f, "image {} tagged {tag}", short(id)),
            Self::Image { id, tag: None } => write!(f, "dangling image {}", short(id)),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::Blank { resource, name } => write!(f, "{resource} {name} without a status"),
        }
    }
}

/// First twelve digits of an ID, as the docker command shows it.
pub(crate) fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}
