//! The findings that the harness knows: one scenario per finding, embedded in the program.

use std::collections::BTreeMap;
use std::path::Path;

use globset::Glob;
use include_dir::{Dir, include_dir};
use racetrap_history::{FindingId, Scenario, Unshown, nearest};

use crate::process::called;
use crate::scenario_file::{self, Invalid, Kind, ScenarioFile, ScenarioFileError};
use crate::workloads::is_workload_id;

/// How many ids are named if one is misspelt.
const NEAREST: usize = 3;

static ENTRIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/catalogue");
static UNSHOWN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/unshown");

/// All findings, in the order of their ids.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: BTreeMap<FindingId, Scenario>,
    unshown: BTreeMap<FindingId, Unshown>,
}

/// The embedded catalogue is damaged. A test of this module prevents such a release.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// A file holds no scenario.
    #[error("catalogue entry {file} is no scenario")]
    Invalid {
        /// Name of the file.
        file: String,
        /// What is wrong.
        #[source]
        source: Box<Invalid>,
    },
    /// A file is not a catalogue entry.
    #[error("catalogue entry {file} {problem}")]
    NoEntry {
        /// Name of the file.
        file: String,
        /// What is wrong, as the rest of a sentence.
        problem: &'static str,
    },
}

/// A selector that selects nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum SelectorError {
    /// The finding is listed, but no schedule can show it.
    #[error("`{selector}` cannot be run: {why}")]
    #[diagnostic(help("`{} list` lists the findings that can be run", called()))]
    Unshown {
        /// The selector.
        selector: String,
        /// Why no schedule shows it.
        why: String,
    },
    /// No finding matches.
    #[error("no finding matches `{selector}`")]
    #[diagnostic(help(
        "the nearest are {}; `{} list` lists all; a file is named by its path",
        known.join(", "),
        called()
    ))]
    Unknown {
        /// The selector.
        selector: String,
        /// The most similar ids.
        known: Vec<String>,
    },
    /// The selector is not a valid glob.
    #[error("`{selector}` is no pattern")]
    #[diagnostic(help("a selector is an id such as `295-I3`, or a glob such as `295-*`"))]
    Malformed {
        /// The selector.
        selector: String,
        /// Why.
        #[source]
        source: globset::Error,
    },
}

impl Catalogue {
    /// The catalogue that this program was built with.
    ///
    /// # Errors
    /// If a file in it is not a catalogue entry.
    pub fn embedded() -> Result<Self, CatalogueError> {
        let texts = |directory: &'static Dir<'_>| {
            directory.files().map(|file| {
                let name = file.path().display().to_string();
                (name, file.contents_utf8())
            })
        };
        let mut catalogue = Self::parse(texts(&ENTRIES))?;
        catalogue.unshown = unshown(texts(&UNSHOWN))?;
        Ok(catalogue)
    }

    fn parse<'a>(
        files: impl Iterator<Item = (String, Option<&'a str>)>,
    ) -> Result<Self, CatalogueError> {
        let mut entries = BTreeMap::new();
        for (file, text) in files {
            let no_entry = |problem| CatalogueError::NoEntry { file: file.clone(), problem };
            let (id, text) = entry(&file, text)?;
            let scenario = scenario_file::parse(&file, text)
                .map_err(|source| CatalogueError::Invalid { file: file.clone(), source })?;
            if scenario.finding.as_str() != id {
                return Err(no_entry("is not named after its finding"));
            }
            let Some(about) = &scenario.about else {
                return Err(no_entry("does not say what its finding is about"));
            };
            if about.promises.is_empty() {
                return Err(no_entry("names no promise of the contract that it exercises"));
            }
            entries.insert(scenario.finding.clone(), scenario);
        }
        Ok(Self { entries, unshown: BTreeMap::new() })
    }

    /// Reads the scenario in `path`. A file that does not describe its finding gets the description
    /// of the catalogue's entry for that finding. A workload has none.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, holds no scenario, or neither describes its finding nor
    /// names one of the catalogue.
    pub fn read(&self, path: &Path) -> Result<Scenario, ScenarioFileError> {
        let file = ScenarioFile::read(path)?;
        if file.scenario.about.is_some() || is_workload_id(&file.scenario.finding) {
            return Ok(file.scenario);
        }
        let Some(entry) = self.get(&file.scenario.finding) else {
            return Err(file.unknown_finding(self.ids().map(|id| id.as_str())));
        };
        Ok(Scenario { about: entry.about.clone(), ..file.scenario })
    }

    /// Findings that are listed but cannot be run, sorted by id.
    pub fn unshown(&self) -> impl Iterator<Item = &Unshown> {
        self.unshown.values()
    }

    /// The entry of a finding.
    #[must_use]
    pub fn get(&self, id: &FindingId) -> Option<&Scenario> {
        self.entries.get(id)
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &FindingId> {
        self.entries.keys()
    }

    /// All entries, sorted by id.
    pub fn entries(&self) -> impl Iterator<Item = &Scenario> {
        self.entries.values()
    }

    /// The entries whose id equals or matches `selector`, sorted by id.
    ///
    /// # Errors
    /// If the selector is malformed or matches nothing.
    pub fn select(&self, selector: &str) -> Result<Vec<&Scenario>, SelectorError> {
        let glob = Glob::new(selector)
            .map_err(|source| SelectorError::Malformed { selector: selector.to_owned(), source })?;
        let matcher = glob.compile_matcher();
        let selected: Vec<_> = self
            .entries
            .values()
            .filter(|entry| matcher.is_match(entry.finding.as_str()))
            .collect();
        let named = self.unshown.values().find(|unshown| unshown.finding.as_str() == selector);
        if let Some(Unshown { unshown, .. }) = named {
            let (selector, why) = (selector.to_owned(), unshown.clone());
            return Err(SelectorError::Unshown { selector, why });
        }
        if selected.is_empty() {
            let mut known = nearest(selector, self.ids().map(|id| id.as_str()));
            known.truncate(NEAREST);
            return Err(SelectorError::Unknown { selector: selector.to_owned(), known });
        }
        Ok(selected)
    }
}

/// The id and the text of an entry's file.
fn entry<'a>(file: &'a str, text: Option<&'a str>) -> Result<(&'a str, &'a str), CatalogueError> {
    let no_entry = |problem| CatalogueError::NoEntry { file: file.to_owned(), problem };
    let text = text.ok_or_else(|| no_entry("is not UTF-8"))?;
    let id = file.strip_suffix(".yaml").ok_or_else(|| no_entry("is no .yaml file"))?;
    Ok((id, text))
}

fn unshown<'a>(
    files: impl Iterator<Item = (String, Option<&'a str>)>,
) -> Result<BTreeMap<FindingId, Unshown>, CatalogueError> {
    let mut all = BTreeMap::new();
    for (file, text) in files {
        let (id, text) = entry(&file, text)?;
        let unshown: Unshown = scenario_file::parse_as(&file, text, Kind::Scenario)
            .map_err(|source| CatalogueError::Invalid { file: file.clone(), source })?;
        if unshown.finding.as_str() != id {
            let problem = "is not named after its finding";
            return Err(CatalogueError::NoEntry { file, problem });
        }
        all.insert(unshown.finding.clone(), unshown);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every rule holds for every entry, so this loop checks the whole catalogue.
    #[test]
    fn every_entry_can_be_tested_on_three_daemons() {
        let catalogue = Catalogue::embedded().expect("the embedded catalogue is sound");
        let about = |scenario: &Scenario| scenario.about.clone().expect("checked when read");
        let defects: BTreeSet<_> = catalogue.entries().map(|entry| about(entry).defect).collect();
        assert!(!defects.is_empty(), "the catalogue is embedded");
        for entry in catalogue.entries() {
            let (id, about) = (&entry.finding, about(entry));
            assert_ne!(about.unrelated, about.defect, "{id}: its own defect is not unrelated");
            assert!(
                defects.contains(&about.unrelated),
                "{id}: no entry proves `{}`",
                about.unrelated
            );
            assert!(!about.platforms.is_empty(), "{id}: it can be shown nowhere");
            for text in [&about.title, &about.source, &about.broken, &about.correct] {
                assert_eq!(text.trim(), text, "{id}: a line break at the end");
                assert!(!text.is_empty(), "{id}: something is not described");
            }
        }
    }

    /// The defect 295-I3 loses changes after `start` has returned, so it could disturb any
    /// schedule.
    #[test]
    fn no_entry_takes_the_bootstrap_race_for_unrelated() {
        let catalogue = Catalogue::embedded().expect("the embedded catalogue is sound");
        for entry in catalogue.entries() {
            let about = entry.about.as_ref().expect("checked when read");
            assert_ne!(about.unrelated, "295-I3", "{}", entry.finding);
        }
    }

    /// Each file breaks one rule, and the message must be the one of that rule.
    #[test]
    fn an_entry_must_be_named_after_its_finding_and_describe_it() {
        let scenario = "finding: 1-A\nsteps: [settle]\n";
        let problem = |name: &str, text: Option<&'static str>| {
            Catalogue::parse([(name.to_owned(), text)].into_iter())
                .expect_err("an entry that breaks a rule")
                .to_string()
        };
        assert_eq!(
            problem("2-B.yaml", Some(scenario)),
            "catalogue entry 2-B.yaml is not named after its finding"
        );
        assert_eq!(
            problem("1-A.yaml", Some(scenario)),
            "catalogue entry 1-A.yaml does not say what its finding is about"
        );
        let about = "finding: 1-A\nsteps: [settle]\nabout: {title: t, source: s, broken: b, correct: c, \
                     oracle: liveness, defect: d, unrelated: u}\n";
        assert_eq!(
            problem("1-A.yaml", Some(about)),
            "catalogue entry 1-A.yaml names no promise of the contract that it exercises"
        );
        assert_eq!(problem("1-A.txt", Some(scenario)), "catalogue entry 1-A.txt is no .yaml file");
        assert_eq!(problem("1-A.yaml", None), "catalogue entry 1-A.yaml is not UTF-8");
    }

    /// Selects by id and by glob, and checks that an unknown id is answered with the most similar
    /// one first.
    #[test]
    fn selectors_are_ids_and_globs_and_an_unknown_one_tells_the_nearest_id_first() {
        let catalogue = Catalogue::embedded().expect("the embedded catalogue is sound");
        let ids = |selector: &str| -> Vec<String> {
            let selected = catalogue.select(selector).expect("it matches");
            selected.iter().map(|entry| entry.finding.to_string()).collect()
        };
        assert_eq!(ids("295-I3"), ["295-I3"]);
        assert_eq!(ids("*").len(), catalogue.ids().count());
        assert_eq!(ids("295-I[34]"), ["295-I3", "295-I4"]);
        let error = catalogue.select("295-i3").expect_err("ids are exact");
        let SelectorError::Unknown { known, .. } = error else { panic!("{error}") };
        assert_eq!(known.len(), 3, "{known:?}");
        assert_eq!(known.first().map(String::as_str), Some("`295-I3`"));
        assert!(matches!(
            catalogue.select("[").expect_err("no glob"),
            SelectorError::Malformed { .. }
        ));
    }
}
