//! The list of known failures, as a YAML file.

use std::path::Path;

use racetrap_history::{FindingId, OracleName, nearest};
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use crate::scenario_file::{Complaint, Invalid, Kind, ScenarioFileError, parse_as, read_text};

/// One failure that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct KnownFailure {
    /// The finding whose runs fail.
    pub(crate) finding: FindingId,
    /// The oracle that they fail by.
    pub(crate) oracle: OracleName,
    /// Why that is known, for people.
    pub(crate) why: String,
    /// Since when: a date, a version, or whatever the people of the list write.
    pub(crate) since: String,
}

/// The failures that are known; none without a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownFailures(Vec<KnownFailure>);

/// An entry as it is in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    finding: Spanned<FindingId>,
    oracle: OracleName,
    why: Spanned<String>,
    since: Spanned<String>,
}

impl KnownFailures {
    /// Reads the list in `path`. `findings` are the ids that an entry may name.
    ///
    /// # Errors
    /// If the file cannot be read, is too large, or is no list of known failures.
    pub(crate) fn read(path: &Path, findings: &[&str]) -> Result<Self, ScenarioFileError> {
        let (name, text) = read_text(path)?;
        Ok(Self::parse(&name, &text, findings)?)
    }

    /// Reads the list in `text`, which errors call `name`.
    pub(super) fn parse(name: &str, text: &str, findings: &[&str]) -> Result<Self, Box<Invalid>> {
        let entries: Vec<Entry> = parse_as(name, text, Kind::Known)?;
        let mut known: Vec<KnownFailure> = Vec::new();
        for Entry { finding, oracle, why, since } in entries {
            let invalid = |at, problem: String, expected: &str, help: Option<String>| {
                let expected = expected.to_owned();
                Invalid::at(name, text, at, Complaint { problem, expected, help })
            };
            let id = finding.value;
            if !findings.contains(&id.as_str()) {
                let near = nearest(id.as_str(), findings.iter().copied());
                let near = near.into_iter().take(3).collect::<Vec<_>>().join(", ");
                let problem = format!("no finding `{id}` is known");
                let help = Some(format!("the nearest ids are {near}"));
                let expected = "expected the id of a finding that is run here";
                return Err(invalid(finding.referenced, problem, expected, help));
            }
            for (key, value) in [("why", &why), ("since", &since)] {
                if value.value.trim().is_empty() {
                    let problem = format!("`{key}` is empty");
                    let expected = "expected a text for the people who read the report";
                    return Err(invalid(value.referenced, problem, expected, None));
                }
            }
            if known.iter().any(|entry| entry.finding == id && entry.oracle == oracle) {
                let problem = format!("`{id}` with `{oracle}` is listed twice");
                let expected = "expected each finding once with each oracle";
                return Err(invalid(finding.referenced, problem, expected, None));
            }
            let (why, since) = (why.value, since.value);
            known.push(KnownFailure { finding: id, oracle, why, since });
        }
        Ok(Self(known))
    }

    /// The known failures, in the order of the file.
    pub(crate) fn entries(&self) -> &[KnownFailure] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic as _;
    use rstest::rstest;

    use super::*;

    const GOOD: &str = "- finding: 1-A\n  oracle: counts\n  why: it is slow\n  since: 2026-11-30\n";

    #[test]
    fn a_list_is_read_in_its_order() {
        let text = format!("# nightly\n{GOOD}{}", GOOD.replace("counts", "identity"));
        let known = KnownFailures::parse("known.yaml", &text, &["1-A"]).expect("a list");
        let oracles: Vec<_> = known.entries().iter().map(|entry| entry.oracle).collect();
        assert_eq!(oracles, [OracleName::Counts, OracleName::Identity]);
        assert_eq!(known.entries()[0].since, "2026-11-30");
        for empty in ["[]", "", "# nothing is known\n"] {
            let known = KnownFailures::parse("known.yaml", empty, &[]).expect("a list");
            assert_eq!(known.entries(), []);
        }
    }

    /// Each text breaks one rule; the label of the error is on the line that breaks it.
    #[rstest]
    #[case("finding: 1-A\n", "wrong type", "finding: 1-A")]
    #[case("- finding: 1-B\n  oracle: counts\n  why: w\n  since: s\n", "no finding `1-B`", "1-B")]
    #[case(
        "- finding: 1-A\n  oracle: count\n  why: w\n  since: s\n",
        "unknown name `count`",
        "count"
    )]
    #[case("- finding: 1-A\n  oracle: counts\n  why: ''\n  since: s\n", "`why` is empty", "''")]
    #[case("- finding: 1-A\n  oracle: counts\n  since: s\n", "key `why` is missing", "")]
    #[case("- finding: 1-A\n  oracel: counts\n", "unknown key `oracel`", "oracel: counts")]
    fn what_is_no_list_is_refused_at_its_line(
        #[case] text: &str,
        #[case] problem: &str,
        #[case] at: &str,
    ) {
        let invalid = KnownFailures::parse("known.yaml", text, &["1-A"]).expect_err("it is bad");
        assert!(invalid.to_string().contains(problem), "{invalid}");
        let label = invalid.labels().expect("a place").next().expect("a label");
        let shown = text.get(label.offset()..label.offset() + label.len()).expect("in the text");
        assert!(shown.contains(at), "`{shown}` of {text}");
    }

    #[test]
    fn an_entry_that_is_listed_twice_and_a_second_document_are_refused() {
        let twice = format!("{GOOD}{GOOD}");
        let error = |text: &str| {
            let refused = KnownFailures::parse("known.yaml", text, &["1-A"]);
            refused.expect_err("it is bad").to_string()
        };
        assert_eq!(error(&twice), "`1-A` with `counts` is listed twice");
        assert_eq!(error(&format!("{GOOD}---\n{GOOD}")), "the file holds several documents");
    }
}
