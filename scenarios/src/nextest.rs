//! When nextest kills a test, as its configuration says.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

/// The profile whose settings all others have that do not say otherwise.
const DEFAULT_PROFILE: &str = "default";

/// A configuration that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NextestError {
    /// Nextest runs this test, but its configuration is not there.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no configuration.
    #[error("no configuration of nextest: {0}")]
    Invalid(#[from] toml::de::Error),
}

/// What of a configuration says when a test is killed; the rest is not looked at.
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
    /// A test is called slow, and goes on.
    #[expect(dead_code, reason = "how soon it is called slow does not matter")]
    Told(SignedDuration),
    #[serde(rename_all = "kebab-case")]
    Ended { period: SignedDuration, terminate_after: Option<u32> },
}

impl SlowTimeout {
    fn kill(&self) -> Option<Duration> {
        match self {
            Self::Told(_) | Self::Ended { terminate_after: None, .. } => None,
            Self::Ended { period, terminate_after: Some(periods) } => {
                Some(period.unsigned_abs() * *periods)
            }
        }
    }
}

impl Nextest {
    /// Reads a configuration.
    pub(crate) fn parse(text: &str) -> Result<Self, NextestError> {
        Ok(toml::from_str(text)?)
    }

    /// The names of its profiles.
    #[cfg(test)]
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profile.keys().map(String::as_str)
    }

    /// How long after its start the first test of a profile may be sent SIGTERM; none, where no test
    /// is. A profile that does not say has what the default profile says.
    pub(crate) fn first_kill(&self, profile: &str) -> Option<Duration> {
        let own = self.profile.get(profile);
        let default = self.profile.get(DEFAULT_PROFILE);
        let timeout = |profile: &'_ Profile| profile.slow_timeout.as_ref().map(SlowTimeout::kill);
        let of_profile = own.and_then(timeout).or_else(|| default.and_then(timeout)).flatten();
        let some = [own, default].into_iter().flatten().flat_map(|profile| &profile.overrides);
        some.filter_map(|some| some.slow_timeout.as_ref()?.kill()).chain(of_profile).min()
    }
}

/// How long after its start this test is killed, where nextest runs it; `root` is the workspace's.
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

    /// This repository's own file: every profile must kill later than a run needs with its evidence.
    #[test]
    fn nextest_kills_no_test_before_its_evidence_is_written() {
        let text = std::fs::read_to_string(Path::new(ROOT).join(".config/nextest.toml")).unwrap();
        let configuration = Nextest::parse(&text).unwrap();
        let mut killed = 0;
        for profile in configuration.profiles() {
            let kill = configuration.first_kill(profile);
            let kill = kill.unwrap_or_else(|| panic!("profile {profile} lets a test run for ever"));
            Deadlines::DEFAULT.before(kill).unwrap_or_else(|error| panic!("{profile}: {error}"));
            killed += 1;
        }
        assert!(killed > 0, "the file has a profile");
    }

    /// What the check above would miss if it read a file otherwise than nextest does.
    #[test]
    fn the_first_kill_is_that_of_the_profile_the_default_or_an_override() {
        let table =
            "[profile.default]\nslow-timeout = { period = '1m 30s', terminate-after = 2 }\n";
        assert_eq!(seconds(table, "default"), Some(180));
        assert_eq!(seconds(table, "ci"), Some(180), "inherited");
        let own = format!("{table}[profile.ci]\nslow-timeout = '5s'\n");
        assert_eq!(seconds(&own, "ci"), None, "a slow test is told, and goes on");
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
