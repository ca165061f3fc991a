//! Reads from nextest's configuration when it kills a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

/// The profile from which all other profiles inherit.
const DEFAULT_PROFILE: &str = "default";

/// The configuration cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NextestError {
    /// Nextest runs this test, but its configuration file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a valid configuration.
    #[error("invalid configuration of nextest: {0}")]
    Invalid(#[from] toml::de::Error),
}

/// The part of the configuration that says when a test is killed.
#[derive(Debug, Deserialize)]
pub(crate) struct Nextest {
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Profile {
    slow_timeout: Option<SlowTimeout>,
    #[serde(default)]
    overrides: Vec<Override>,
}

/// Settings for some tests of a profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Override {
    slow_timeout: Option<SlowTimeout>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SlowTimeout {
    /// Nextest reports the test as slow, and does not kill it.
    #[expect(dead_code, reason = "when a test is reported as slow does not matter")]
    Reported(SignedDuration),
    #[serde(rename_all = "kebab-case")]
    Ended { period: SignedDuration, terminate_after: Option<u32> },
}

impl SlowTimeout {
    /// How long after its start a test is killed; `None` if it is not killed.
    fn kill(&self) -> Option<Duration> {
        match self {
            Self::Reported(_) | Self::Ended { terminate_after: None, .. } => None,
            Self::Ended { period, terminate_after: Some(periods) } => {
                Some(period.unsigned_abs() * *periods)
            }
        }
    }
}

impl Nextest {
    /// Parses a configuration.
    pub(crate) fn parse(text: &str) -> Result<Self, NextestError> {
        Ok(toml::from_str(text)?)
    }

    /// The names of the profiles.
    #[cfg(test)]
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profile.keys().map(String::as_str)
    }

    /// The shortest time after its start at which nextest sends SIGTERM to a test of the profile;
    /// `None` if it never does. A profile without the setting inherits that of the default profile.
    pub(crate) fn first_kill(&self, profile: &str) -> Option<Duration> {
        let own = self.profile.get(profile);
        let default = self.profile.get(DEFAULT_PROFILE);
        let timeout = |profile: &'_ Profile| profile.slow_timeout.as_ref().map(SlowTimeout::kill);
        let of_profile = own.and_then(timeout).or_else(|| default.and_then(timeout)).flatten();
        // An override may apply to any test, so the earliest of all counts.
        let overrides = [own, default].into_iter().flatten().flat_map(|profile| &profile.overrides);
        overrides.filter_map(|it| it.slow_timeout.as_ref()?.kill()).chain(of_profile).min()
    }
}

/// How long after its start nextest kills this test; `None` if nextest does not run the test or
/// does not kill it. `root` is the root directory of the workspace.
pub(crate) fn kill_of_this_test(root: &Path) -> Result<Option<Duration>, NextestError> {
    if std::env::var_os("NEXTEST").is_none() {
        return Ok(None);
    }
    let profile = std::env::var("NEXTEST_PROFILE").unwrap_or(DEFAULT_PROFILE.to_owned());
    let path = root.join(".config/nextest.toml");
    let text = std::fs::read_to_string(&path)
        .map_err(|source| NextestError::Unreadable { path: path.display().to_string(), source })?;
    Ok(Nextest::parse(&text)?.first_kill(&profile))
}

#[cfg(test)]
mod tests {
    use racetrap::deadline::Deadlines;

    use super::*;
    use crate::check::ROOT;

    fn seconds(text: &str, profile: &str) -> Option<u64> {
        let configuration = Nextest::parse(text).expect("a configuration");
        configuration.first_kill(profile).map(|kill| kill.as_secs())
    }

    /// Reads this repository's own configuration. Every profile must give a run enough time to
    /// write its evidence before nextest kills the test.
    #[test]
    fn nextest_kills_no_test_before_its_evidence_is_written() {
        let text = std::fs::read_to_string(Path::new(ROOT).join(".config/nextest.toml")).unwrap();
        let configuration = Nextest::parse(&text).unwrap();
        let mut killed = 0;
        for profile in configuration.profiles() {
            let kill = configuration.first_kill(profile);
            let kill = kill.unwrap_or_else(|| panic!("profile {profile} never kills a test"));
            Deadlines::DEFAULT.before(kill).unwrap_or_else(|error| panic!("{profile}: {error}"));
            killed += 1;
        }
        assert!(killed > 0, "the file has a profile");
    }

    /// Parses the forms of the setting as nextest documents them: inherited, replaced, without a
    /// kill, and in an override. The test above relies on this.
    #[test]
    fn the_first_kill_is_that_of_the_profile_the_default_or_an_override() {
        let table =
            "[profile.default]\nslow-timeout = { period = '1m 30s', terminate-after = 2 }\n";
        assert_eq!(seconds(table, "default"), Some(180));
        assert_eq!(seconds(table, "ci"), Some(180), "inherited");
        let own = format!("{table}[profile.ci]\nslow-timeout = '5s'\n");
        assert_eq!(seconds(&own, "ci"), None, "a slow test is reported and not killed");
        let endless = "[profile.default]\nslow-timeout = { period = '5s' }\n";
        assert_eq!(seconds(endless, "default"), None);
        let some = format!(
            "{table}[[profile.default.overrides]]\nfilter = 'test(x)'\n\
             slow-timeout = {{ period = '7s', terminate-after = 1, grace-period = '1s' }}\n"
        );
        assert_eq!(seconds(&some, "default"), Some(7));
        assert_eq!(seconds("", "default"), None);
        assert!(Nextest::parse("[profile.default]\nslow-timeout = 3\n").is_err());
    }
}
