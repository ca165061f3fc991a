//! Turns ids, globs and files into scenarios.

use std::collections::BTreeSet;
use std::path::Path;

use miette::miette;
use racetrap_history::{Scenario, nearest};

use super::exit::Failure;
use crate::catalogue::Catalogue;
use crate::matrix::Subject;
use crate::process::called;
use crate::scenario_file::{ScenarioFile, parse};
use crate::search::{from_token, is_token};
use crate::workloads::Workloads;

/// A scenario and the name by which the user can run it again.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The scenario.
    pub(super) scenario: Scenario,
    /// An id, the path of a file, or a token.
    pub(super) name: String,
}

impl Target {
    /// The part of it that the matrix needs.
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject { scenario: &self.scenario, name: &self.name }
    }
}

/// The scenarios that `given` selects among findings, workloads and files, each once and in the given order; the whole catalogue if
/// `given` is empty. All bad files are reported at once.
pub(super) fn targets(given: &[String]) -> Result<Vec<Target>, Failure> {
    let catalogue = Catalogue::embedded()?;
    let workloads = Workloads::embedded()?;
    let all = ["*".to_owned()];
    let given = if given.is_empty() { all.as_slice() } else { given };
    let mut targets: Vec<Target> = Vec::new();
    let mut bad_files = Vec::new();
    for selector in given {
        let found = if is_token(selector) {
            let scenario = parse("the token", &from_token(selector)?)?;
            vec![Target { scenario, name: selector.clone() }]
        } else if names_a_file(selector) {
            match catalogue.read(Path::new(selector)) {
                Ok(scenario) => vec![Target { scenario, name: selector.clone() }],
                Err(error) => {
                    bad_files.push(error);
                    continue;
                }
            }
        } else {
            let mut selected = workloads.select(selector);
            if selected.is_empty() {
                selected = catalogue.select(selector)?;
            }
            selected
                .into_iter()
                .map(|entry| Target { scenario: entry.clone(), name: entry.finding.to_string() })
                .collect()
        };
        for target in found {
            if !targets.iter().any(|known| known.name == target.name) {
                targets.push(target);
            }
        }
    }
    if bad_files.is_empty() { Ok(targets) } else { Err(bad_files.into()) }
}

/// The workloads that `given` selects, each once and in the given order; all if `given` is empty. A
/// scenario file is taken as a workload, whatever it is.
pub(super) fn workloads(given: &[String]) -> Result<Vec<Scenario>, Failure> {
    let embedded = Workloads::embedded()?;
    if given.is_empty() {
        return Ok(embedded.scenarios().cloned().collect());
    }
    let mut found: Vec<Scenario> = Vec::new();
    for selector in given {
        let selected: Vec<Scenario> = if names_a_file(selector) {
            vec![ScenarioFile::read(Path::new(selector))?.scenario]
        } else {
            embedded.select(selector).into_iter().cloned().collect()
        };
        if selected.is_empty() {
            let ids = embedded.scenarios().map(|workload| workload.finding.as_str());
            let near: Vec<_> = nearest(selector, ids).into_iter().take(3).collect();
            return Err(Failure::usage(miette!(
                help = format!(
                    "the nearest are {}; `{} workloads` lists all",
                    near.join(", "),
                    called()
                ),
                "no workload matches `{selector}`"
            )));
        }
        found.extend(selected);
    }
    let mut seen = BTreeSet::new();
    found.retain(|workload| seen.insert(workload.finding.clone()));
    Ok(found)
}

/// Whether a selector is a path. An id has neither a directory nor an extension, so nothing can be
/// both.
fn names_a_file(selector: &str) -> bool {
    let extension = Path::new(selector).extension();
    selector.contains('/') || extension.is_some_and(|found| found == "yaml" || found == "yml")
}
