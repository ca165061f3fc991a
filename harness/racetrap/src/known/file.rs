//! The list of known failures, as a YAML file.

use std::path::Path;

use racetrap_history::{Check, FindingId, OracleName, nearest};
use racetrap_search::Signature;
use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

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

/// One failure of searches that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct KnownSignature {
    /// The oracle that finds it.
    pub(crate) oracle: OracleName,
    /// Which of its checks.
    pub(crate) check: Check,
    /// Why that is known, for people.
    pub(crate) why: String,
    /// Since when: a date, a version, or whatever the people of the list write.
    pub(crate) since: String,
}

impl KnownSignature {
    /// Whether the entry is about this failure.
    pub(crate) fn is_about(&self, signature: &Signature) -> bool {
        self.check == signature.check
    }
}

/// The failures that are known; none without a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownFailures {
    runs: Vec<KnownFailure>,
    signatures: Vec<KnownSignature>,
}

/// An entry as it is in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    finding: Option<Spanned<FindingId>>,
    oracle: Spanned<OracleName>,
    check: Option<Spanned<Check>>,
    why: Spanned<String>,
    since: Spanned<String>,
}

impl KnownFailures {
    /// Reads the list in `path`. `findings` are the ids that an entry may name; without them, any.
    ///
    /// # Errors
    /// If the file cannot be read, is too large, or is no list of known failures.
    pub(crate) fn read(path: &Path, findings: Option<&[&str]>) -> Result<Self, ScenarioFileError> {
        let (name, text) = read_text(path)?;
        Ok(Self::parse(&name, &text, findings)?)
    }

    /// Reads the list in `text`, which errors call `name`.
    pub(super) fn parse(
        name: &str,
        text: &str,
        findings: Option<&[&str]>,
    ) -> Result<Self, Box<Invalid>> {
        let entries: Vec<Entry> = parse_as(name, text, Kind::Known)?;
        let mut known = Self::default();
        for entry in entries {
            known
                .add(entry, findings)
                .map_err(|(at, complaint)| Invalid::at(name, text, at, complaint))?;
        }
        Ok(known)
    }

    /// Adds an entry, or says where it is wrong and how.
    fn add(
        &mut self,
        entry: Entry,
        findings: Option<&[&str]>,
    ) -> Result<(), (Location, Complaint)> {
        let Entry { finding, oracle, check, why, since } = entry;
        for (key, value) in [("why", &why), ("since", &since)] {
            if value.value.trim().is_empty() {
                let problem = format!("`{key}` is empty");
                let expected = "expected a text for the people who read the report";
                return Err(wrong(value.referenced, problem, expected, None));
            }
        }
        let (at, oracle) = (oracle.referenced, oracle.value);
        let (why, since) = (why.value, since.value);
        match (finding, check) {
            (Some(finding), None) => {
                let id = finding.value;
                if let Some(findings) = findings.filter(|all| !all.contains(&id.as_str())) {
                    let near = nearest(id.as_str(), findings.iter().copied());
                    let near = near.into_iter().take(3).collect::<Vec<_>>().join(", ");
                    let problem = format!("no finding `{id}` is known");
                    let help = Some(format!("the nearest ids are {near}"));
                    let expected = "expected the id of a finding that is run here";
                    return Err(wrong(finding.referenced, problem, expected, help));
                }
                if self.runs.iter().any(|entry| entry.finding == id && entry.oracle == oracle) {
                    let problem = format!("`{id}` with `{oracle}` is listed twice");
                    let expected = "expected each finding once with each oracle";
                    return Err(wrong(finding.referenced, problem, expected, None));
                }
                self.runs.push(KnownFailure { finding: id, oracle, why, since });
            }
            (None, Some(Spanned { value: check, referenced, .. })) => {
                if check.oracle() != oracle {
                    let problem = format!("`{check}` is no check of `{oracle}`");
                    let help = format!("it is one of `{}`", check.oracle());
                    return Err(wrong(
                        referenced,
                        problem,
                        "expected one of its checks",
                        Some(help),
                    ));
                }
                if self.signatures.iter().any(|entry| entry.check == check) {
                    let problem = format!("`{check}` is listed twice");
                    return Err(wrong(referenced, problem, "expected each check once", None));
                }
                self.signatures.push(KnownSignature { oracle, check, why, since });
            }
            (Some(_), Some(_)) | (None, None) => {
                let problem = "the entry says not what it is about".to_owned();
                let expected = "expected either `finding`, for runs, or `check`, for searches";
                return Err(wrong(at, problem, expected, None));
            }
        }
        Ok(())
    }

    /// The known failures of runs, in the order of the file.
    pub(crate) fn entries(&self) -> &[KnownFailure] {
        &self.runs
    }

    /// The known failures of searches, in the order of the file.
    pub(crate) fn signatures(&self) -> &[KnownSignature] {
        &self.signatures
    }

    /// The entry about a failure of a search.
    pub(crate) fn of_search(&self, signature: &Signature) -> Option<&KnownSignature> {
        self.signatures.iter().find(|entry| entry.is_about(signature))
    }
}

fn wrong(
    at: Location,
    problem: String,
    expected: &str,
    help: Option<String>,
) -> (Location, Complaint) {
    (at, Complaint { problem, expected: expected.to_owned(), help })
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
        let known = KnownFailures::parse("known.yaml", &text, Some(&["1-A"])).expect("a list");
        let oracles: Vec<_> = known.entries().iter().map(|entry| entry.oracle).collect();
        assert_eq!(oracles, [OracleName::Counts, OracleName::Identity]);
        assert_eq!(known.entries()[0].since, "2026-11-30");
        for empty in ["[]", "", "# nothing is known\n"] {
            let known = KnownFailures::parse("known.yaml", empty, None).expect("a list");
            assert_eq!(known.entries(), []);
        }
    }

    #[test]
    fn an_entry_names_a_check_of_searches() {
        let text =
            format!("{GOOD}- {{oracle: counts, check: 4.2.13-created-again, why: w, since: s}}\n");
        let known = KnownFailures::parse("known.yaml", &text, Some(&["1-A"])).expect("a list");
        assert_eq!((known.entries().len(), known.signatures().len()), (1, 1));
        assert!(known.of_search(&Check::CreatedAgain.into()).is_some());
        assert_eq!(known.of_search(&Check::UidChanged.into()), None);
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
    #[case("- oracle: counts\n  why: w\n  since: s\n", "says not what it is about", "counts")]
    #[case(
        "- {finding: 1-A, check: 4.2.13-created-again, oracle: counts, why: w, since: s}\n",
        "says not what it is about",
        "counts"
    )]
    #[case(
        "- {oracle: counts, check: counts.rs, why: w, since: s}\n",
        "unknown name `counts.rs`",
        "counts.rs"
    )]
    #[case(
        "- {oracle: counts, check: 4.7.3-uid-changed, why: w, since: s}\n",
        "`4.7.3-uid-changed` is no check of `counts`",
        "4.7.3-uid-changed"
    )]
    fn what_is_no_list_is_refused_at_its_line(
        #[case] text: &str,
        #[case] problem: &str,
        #[case] at: &str,
    ) {
        let invalid =
            KnownFailures::parse("known.yaml", text, Some(&["1-A"])).expect_err("it is bad");
        assert!(invalid.to_string().contains(problem), "{invalid}");
        let label = invalid.labels().expect("a place").next().expect("a label");
        let shown = text.get(label.offset()..label.offset() + label.len()).expect("in the text");
        assert!(shown.contains(at), "`{shown}` of {text}");
    }

    #[test]
    fn an_entry_that_is_listed_twice_and_a_second_document_are_refused() {
        let twice = format!("{GOOD}{GOOD}");
        let error = |text: &str| {
            let refused = KnownFailures::parse("known.yaml", text, Some(&["1-A"]));
            refused.expect_err("it is bad").to_string()
        };
        assert_eq!(error(&twice), "`1-A` with `counts` is listed twice");
        assert_eq!(error(&format!("{GOOD}---\n{GOOD}")), "the file holds several documents");
    }
}
