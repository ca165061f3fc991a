//! Which engine a world runs, as one word of the command line.

use std::fmt;
use std::str::FromStr;

use crate::vm::GuestVersion;

/// A version of Docker that `racetrap engine install` can install beside the machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineVersion {
    /// 26.1, the last engine in Debian with a containerd 1.
    V26_1,
    /// 28.5, with containerd 2.
    V28_5,
}

/// Where an engine stores its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageStore {
    /// The engine's own store, on overlayfs.
    Overlay2,
    /// The store of the engine's containerd.
    Containerd,
}

/// How an engine is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// As a process in namespaces of its own: an installed version, or the machine's dockerd if
    /// `None`.
    Dockerd(Option<EngineVersion>),
    /// As a privileged container on the user's own Docker.
    Dind(EngineVersion),
    /// In a virtual machine, which is forked from a template.
    Guest(GuestVersion),
    /// In a virtual machine, which an installed Lima boots.
    Lima(GuestVersion),
}

/// The engine of a world. The default is the machine's own dockerd with its default store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineChoice {
    /// How it is run, and which version.
    pub kind: EngineKind,
    /// Where its images are stored; `None` for the engine's default.
    pub store: Option<ImageStore>,
}

/// A word of the command line that names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}; an engine is {}", FORMS)]
pub struct NoSuchEngine {
    why: String,
}

/// A version that Racetrap cannot install.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no engine of version `{0}`; there are: {all}", all = all_versions())]
pub struct NoSuchVersion(String);

/// The forms of a choice, for error messages.
const FORMS: &str = "`dockerd`, `dockerd:VERSION` or `dind:VERSION`, each also with `+overlay2` \
                     or `+containerd` behind it, or `vm:VERSION` or `lima:VERSION`; `vm` means `vm:20.10`, \
                     `lima` means `lima:20.10`";

fn all_versions() -> String {
    EngineVersion::ALL.map(EngineVersion::name).join(", ")
}

impl EngineVersion {
    /// All versions, the oldest first.
    pub const ALL: [Self; 2] = [Self::V26_1, Self::V28_5];

    /// The name: the first two numbers of the version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V26_1 => "26.1",
            Self::V28_5 => "28.5",
        }
    }

    /// The name in a list that also has other things than engines.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::V26_1 => "engine 26.1",
            Self::V28_5 => "engine 28.5",
        }
    }

    /// The suites of Debian that have this version, the most stable first. A suite drops the
    /// version when it moves on to a later one, so a version may need several suites.
    pub(crate) const fn suites(self) -> &'static [&'static str] {
        match self {
            Self::V26_1 => &["trixie"],
            Self::V28_5 => &["forky", "sid"],
        }
    }

    /// Whether a full version such as `26.1.5+dfsg1` belongs to this version.
    pub(crate) fn covers(self, full: &str) -> bool {
        let rest = full.strip_prefix(self.name());
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineVersion {
    type Err = NoSuchVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|version| version.name() == text);
        found.ok_or_else(|| NoSuchVersion(text.to_owned()))
    }
}

impl ImageStore {
    /// The name in the engine's documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overlay2 => "overlay2",
            Self::Containerd => "containerd",
        }
    }
}

impl Default for EngineChoice {
    fn default() -> Self {
        Self { kind: EngineKind::Dockerd(None), store: None }
    }
}

impl EngineChoice {
    /// The version that must be installed for this choice; `None` for the machine's own engine.
    pub(crate) fn installed_version(self) -> Option<EngineVersion> {
        match self.kind {
            EngineKind::Dockerd(version) => version,
            EngineKind::Dind(version) => Some(version),
            // The version of a guest's engine is that of its image.
            EngineKind::Guest(_) | EngineKind::Lima(_) => None,
        }
    }

    /// The guest that runs the engine, if it runs in a virtual machine.
    pub(crate) fn guest(self) -> Option<GuestVersion> {
        match self.kind {
            EngineKind::Guest(version) | EngineKind::Lima(version) => Some(version),
            EngineKind::Dockerd(_) | EngineKind::Dind(_) => None,
        }
    }

    /// Whether an installed Lima boots the guest, for which `limactl` is needed.
    pub(crate) fn needs_limactl(self) -> bool {
        matches!(self.kind, EngineKind::Lima(_))
    }

    /// Whether an engine that says that it has this full version can be the chosen one.
    pub(super) fn covers(self, full: &str) -> bool {
        match self.kind {
            EngineKind::Dockerd(None) => true,
            EngineKind::Dockerd(Some(version)) | EngineKind::Dind(version) => version.covers(full),
            EngineKind::Guest(version) | EngineKind::Lima(version) => version.covers(full),
        }
    }

    /// The text of the configuration file that makes dockerd use the chosen store.
    pub(crate) fn configuration(self) -> String {
        match self.store {
            None => "{}",
            Some(ImageStore::Overlay2) => r#"{"storage-driver": "overlay2"}"#,
            Some(ImageStore::Containerd) => r#"{"features": {"containerd-snapshotter": true}}"#,
        }
        .to_owned()
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            EngineKind::Dockerd(None) => f.write_str("dockerd")?,
            EngineKind::Dockerd(Some(version)) => write!(f, "dockerd:{version}")?,
            EngineKind::Dind(version) => write!(f, "dind:{version}")?,
            EngineKind::Guest(version) => write!(f, "vm:{version}")?,
            EngineKind::Lima(version) => write!(f, "lima:{version}")?,
        }
        match self.store {
            Some(store) => write!(f, "+{}", store.name()),
            None => Ok(()),
        }
    }
}

impl FromStr for EngineChoice {
    type Err = NoSuchEngine;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |why: String| NoSuchEngine { why };
        let (kind, store) = match text.split_once('+') {
            None => (text, None),
            Some((kind, "overlay2")) => (kind, Some(ImageStore::Overlay2)),
            Some((kind, "containerd")) => (kind, Some(ImageStore::Containerd)),
            Some((_, other)) => return Err(refused(format!("there is no image store `{other}`"))),
        };
        let version =
            |text: &str| EngineVersion::from_str(text).map_err(|error| refused(error.to_string()));
        let guest =
            |text: &str| GuestVersion::from_str(text).map_err(|error| refused(error.to_string()));
        let kind = match kind.split_once(':') {
            None if kind == "dockerd" => EngineKind::Dockerd(None),
            Some(("dockerd", name)) => EngineKind::Dockerd(Some(version(name)?)),
            Some(("dind", name)) => EngineKind::Dind(version(name)?),
            None if kind == "vm" => EngineKind::Guest(GuestVersion::V20_10),
            None if kind == "lima" => EngineKind::Lima(GuestVersion::V20_10),
            Some(("vm", name)) => EngineKind::Guest(guest(name)?),
            Some(("lima", name)) => EngineKind::Lima(guest(name)?),
            None if kind == "dind" => {
                return Err(refused("`dind` needs a version".to_owned()));
            }
            _ => return Err(refused(format!("there is no kind of engine `{kind}`"))),
        };
        let choice = Self { kind, store };
        if store.is_some() && choice.guest().is_some() {
            return Err(refused("the engine of a guest has its own image store".to_owned()));
        }
        Ok(choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The command that repeats a run contains the choice, so each form must be printed as it was
    // parsed.
    #[test]
    fn a_choice_is_printed_as_it_was_parsed() {
        for kind in ["dockerd", "dockerd:26.1", "dockerd:28.5", "dind:26.1", "dind:28.5"] {
            for store in ["", "+overlay2", "+containerd"] {
                let text = format!("{kind}{store}");
                let choice: EngineChoice = text.parse().expect("a form of the table");
                assert_eq!(choice.to_string(), text);
            }
        }
        assert_eq!(EngineChoice::default().to_string(), "dockerd");
        for (text, printed) in [
            ("vm", "vm:20.10"),
            ("vm:20.10", "vm:20.10"),
            ("vm:26.1", "vm:26.1"),
            ("lima", "lima:20.10"),
            ("lima:20.10", "lima:20.10"),
            ("lima:26.1", "lima:26.1"),
        ] {
            let choice: EngineChoice = text.parse().expect("a form of the table");
            assert_eq!(choice.to_string(), printed);
        }
    }

    // One word for each kind of mistake. The message must name the mistake.
    #[test]
    fn a_word_that_names_no_engine_is_refused_with_the_mistake() {
        for (text, named) in [
            ("", "kind of engine ``"),
            ("podman", "kind of engine `podman`"),
            ("dind", "needs a version"),
            ("dind+containerd", "needs a version"),
            ("dockerd:", "version ``"),
            ("dockerd:26", "version `26`; there are: 26.1, 28.5"),
            ("dockerd:26.1:1", "version `26.1:1`"),
            ("dockerd+btrfs", "image store `btrfs`"),
            ("dockerd:28.5+", "image store ``"),
            ("dockerd+overlay2:28.5", "image store `overlay2:28.5`"),
            ("vm:28.5", "version `28.5`; there are: 20.10, 26.1"),
            ("vm+overlay2", "its own image store"),
            ("lima:28.5", "version `28.5`; there are: 20.10, 26.1"),
            ("lima:", "version ``"),
            ("lima+containerd", "its own image store"),
        ] {
            let refused = text.parse::<EngineChoice>().expect_err(text).to_string();
            assert!(refused.contains(named), "{text}: {refused}");
        }
    }

    // Both run the same guest; only one of them needs the program of Lima.
    #[test]
    fn only_the_engines_of_lima_need_limactl() {
        for (text, needs_limactl, in_guest) in [
            ("dockerd", false, false),
            ("dind:26.1", false, false),
            ("vm:26.1", false, true),
            ("lima:26.1", true, true),
        ] {
            let choice: EngineChoice = text.parse().expect("a form of the table");
            assert_eq!(choice.needs_limactl(), needs_limactl, "{text}");
            assert_eq!(choice.guest().is_some(), in_guest, "{text}");
            assert_eq!(choice.installed_version().is_some(), text == "dind:26.1", "{text}");
        }
    }

    // 26.10 begins like 26.1, and is another version.
    #[test]
    fn a_version_covers_its_own_releases_and_no_later_ones() {
        let version = EngineVersion::V26_1;
        assert!(["26.1", "26.1.5+dfsg1", "26.1~rc1"].iter().all(|full| version.covers(full)));
        assert!(!["26.10.1", "26.0.1", "126.1", "2"].iter().any(|full| version.covers(full)));
    }
}
