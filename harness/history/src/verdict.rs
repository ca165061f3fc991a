//! What a run proved.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::check::Check;
use crate::record::DaemonKind;
use crate::scenario::{About, OracleName};

/// What a run proved; `max` over several is the verdict of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The daemon, or the world that was asked for, is not one that the scenario is about.
    NotApplicable,
    /// Every oracle saw all that it needed, and found nothing.
    Pass,
    /// The run shows nothing: engine gone, schedule not carried out, journal torn.
    Unknown,
    /// At least one promise was broken.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotApplicable => "not applicable",
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        })
    }
}

impl Verdict {
    /// Whether nothing failed and nothing has to be looked at: a pass, or a scenario that is not for
    /// this daemon.
    #[must_use]
    pub fn is_settled(self) -> bool {
        match self {
            Self::NotApplicable | Self::Pass => true,
            Self::Unknown | Self::Fail => false,
        }
    }
}

impl DaemonKind {
    /// Whether this judgement is the right one for this daemon: a pass, or under the finding's own
    /// defect a failure through the oracle that the finding names.
    #[must_use]
    pub fn accepts(self, about: &About, judgement: &Judgement) -> bool {
        match self {
            Self::Correct | Self::Unrelated | Self::Control => judgement.verdict == Verdict::Pass,
            Self::Own => {
                judgement.verdict == Verdict::Fail && judgement.oracles().contains(&about.oracle)
            }
        }
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which promise.
    pub oracle: OracleName,
    /// The record at which it became true.
    pub seq: u64,
    /// Which of the oracle's checks found it; nothing in a judgement that was recorded before checks had
    /// names.
    #[serde(default, deserialize_with = "check_if_known", skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// What was expected, and what was seen.
    pub text: String,
}

/// Reads the name of a check. Other racetraps have other checks.
fn check_if_known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Check>, D::Error> {
    let name = Cow::<'de, str>::deserialize(from)?;
    Ok(Check::ALL.iter().copied().find(|check| check.name() == name))
}

/// A reason why the run does not show all that it should. In files it is its text alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Unknown {
    /// The record that it is about, if it is about one.
    pub seq: Option<u64>,
    /// What could not be shown, and why.
    pub text: String,
}

impl Unknown {
    /// A reason that the record with the number `seq` gives.
    #[must_use]
    pub fn at(seq: u64, text: impl Into<String>) -> Self {
        Self { seq: Some(seq), text: text.into() }
    }
}

impl From<String> for Unknown {
    fn from(text: String) -> Self {
        Self { seq: None, text }
    }
}

impl From<Unknown> for String {
    fn from(unknown: Unknown) -> Self {
        unknown.text
    }
}

/// Errors in the daemon's log that break no promise, because something that the history shows explains
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excused {
    /// How many lines.
    pub lines: u64,
    /// What explains them.
    pub why: String,
}

impl fmt::Display for Excused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, why } = self;
        let errors = if *lines == 1 { "error" } else { "errors" };
        write!(f, "{lines} {errors} in the log: {why}")
    }
}

/// A verdict and its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Broken promises, in the order of the history.
    pub violations: Vec<Violation>,
    /// Why the run does not show all that it should.
    pub unknowns: Vec<Unknown>,
    /// Why the scenario is not for this daemon; only if that is the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// Errors in the log that were excused, by their reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excused: Vec<Excused>,
}

impl Judgement {
    /// The judgement of a run that shows nothing, for these reasons.
    #[must_use]
    pub fn unknown(unknowns: Vec<Unknown>) -> Self {
        let violations = Vec::new();
        let (not_applicable, excused) = (None, Vec::new());
        Self { verdict: Verdict::Unknown, violations, unknowns, not_applicable, excused }
    }

    /// The judgement of a run of a scenario that is not for this daemon.
    #[must_use]
    pub fn not_applicable(why: String) -> Self {
        let verdict = Verdict::NotApplicable;
        let not_applicable = Some(why);
        let (violations, unknowns, excused) = (Vec::new(), Vec::new(), Vec::new());
        Self { verdict, violations, unknowns, not_applicable, excused }
    }

    /// The oracles that found something, each once, in the order of their names.
    #[must_use]
    pub fn oracles(&self) -> Vec<OracleName> {
        let mut names: Vec<_> = self.violations.iter().map(|violation| violation.oracle).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
