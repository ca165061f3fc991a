//! Which guests can be built, by the version of their engine.

use std::fmt;
use std::str::FromStr;

/// A guest, by the version of its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuestVersion {
    /// dockerd 20.10.
    V20_10,
    /// dockerd 26.1.
    V26_1,
}

/// A version of which no guest can be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no guest with an engine of version `{0}`; there are: 20.10, 26.1")]
pub struct NoSuchGuest(String);

impl GuestVersion {
    /// All versions, the oldest first.
    pub const ALL: [Self; 2] = [Self::V20_10, Self::V26_1];

    /// The first two numbers of the engine's version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V20_10 => "20.10",
            Self::V26_1 => "26.1",
        }
    }

    /// The suite of Debian that the guest is built from.
    pub(crate) const fn suite(self) -> &'static str {
        match self {
            Self::V20_10 => "bookworm",
            Self::V26_1 => "trixie",
        }
    }

    /// Whether a full version such as `20.10.24+dfsg1` belongs to this version.
    pub(crate) fn covers(self, full: &str) -> bool {
        let rest = full.strip_prefix(self.name());
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}

impl fmt::Display for GuestVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GuestVersion {
    type Err = NoSuchGuest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|version| version.name() == text);
        found.ok_or_else(|| NoSuchGuest(text.to_owned()))
    }
}
