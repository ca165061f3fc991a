//! The workloads that the program was built with.

use std::collections::BTreeMap;

use globset::Glob;
use include_dir::{Dir, include_dir};
use racetrap_history::{FindingId, Scenario};

use crate::scenario_file::{self, Invalid};

/// What the ids of workloads begin with. The rest is the name of the file.
const PREFIX: &str = "work-";

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/workloads");

/// All workloads, in the order of their ids.
///
/// A workload promises the exit codes and HTTP statuses of a run that nothing disturbs. Whoever
/// disturbs it takes its [control](Scenario::control), which has the same steps and allows the others.
#[derive(Clone, Debug)]
pub struct Workloads {
    scenarios: BTreeMap<FindingId, Scenario>,
}

/// The embedded workloads are damaged. A test of this module prevents such a release.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// A file holds no scenario.
    #[error("workload {file} is no scenario")]
    Invalid {
        /// Name of the file.
        file: String,
        /// What is wrong.
        #[source]
        source: Box<Invalid>,
    },
    /// A file holds a scenario that is not a workload.
    #[error("workload {file} {problem}")]
    NoWorkload {
        /// Name of the file.
        file: String,
        /// What is wrong, as the rest of a sentence.
        problem: &'static str,
    },
}

/// Whether the id is one of a workload. A workload shows no finding, so its file describes none.
#[must_use]
pub fn is_workload_id(id: &FindingId) -> bool {
    id.as_str().starts_with(PREFIX)
}

impl Workloads {
    /// The workloads that this program was built with.
    ///
    /// # Errors
    /// If a file among them is not a workload.
    pub fn embedded() -> Result<Self, WorkloadError> {
        Self::parse(FILES.files().map(|file| {
            let name = file.path().display().to_string();
            (name, file.contents_utf8())
        }))
    }

    fn parse<'a>(
        files: impl Iterator<Item = (String, Option<&'a str>)>,
    ) -> Result<Self, WorkloadError> {
        let mut scenarios = BTreeMap::new();
        for (file, text) in files {
            let no_workload = |problem| WorkloadError::NoWorkload { file: file.clone(), problem };
            let text = text.ok_or_else(|| no_workload("is not UTF-8"))?;
            let name = file.strip_suffix(".yaml");
            let name = name.ok_or_else(|| no_workload("is no .yaml file"))?;
            let scenario = scenario_file::parse(&file, text)
                .map_err(|source| WorkloadError::Invalid { file: file.clone(), source })?;
            if scenario.finding.as_str().strip_prefix(PREFIX) != Some(name) {
                return Err(no_workload("does not have the id `work-` and its own name"));
            }
            if scenario.about.is_some() {
                return Err(no_workload("describes a finding"));
            }
            if !scenario.is_workload() {
                return Err(no_workload("has a gate, a fault or a limit of its own"));
            }
            scenarios.insert(scenario.finding.clone(), scenario);
        }
        Ok(Self { scenarios })
    }

    /// All workloads, sorted by id.
    pub fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.scenarios.values()
    }

    /// The workload with this id.
    #[must_use]
    pub fn get(&self, id: &FindingId) -> Option<&Scenario> {
        self.scenarios.get(id)
    }

    /// The workloads whose id equals or matches `selector`, sorted by id. None if the selector does not
    /// begin as ids of workloads do: `*` means the catalogue.
    #[must_use]
    pub fn select(&self, selector: &str) -> Vec<&Scenario> {
        let glob = Glob::new(selector).ok().filter(|_| selector.starts_with(PREFIX));
        let matcher = glob.map(|glob| glob.compile_matcher());
        let is_selected = |id: &str| matcher.as_ref().is_some_and(|matcher| matcher.is_match(id));
        self.scenarios().filter(|scenario| is_selected(scenario.finding.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use racetrap_history::{Step, WaitStep};
    use rstest::rstest;

    use super::*;

    /// A search inserts one disturbance into a workload and runs it hundreds of times, so each is short.
    /// What nothing waits for at the end is not judged.
    #[test]
    fn each_workload_is_short_and_ends_when_the_world_is_quiet() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        assert!(workloads.scenarios().count() > 20, "the workloads are embedded");
        for workload in workloads.scenarios() {
            let (id, steps) = (&workload.finding, &workload.steps);
            assert!((5..=16).contains(&steps.len()), "{id}: {} steps", steps.len());
            assert_eq!(steps.last(), Some(&Step::Wait(WaitStep::Settle)), "{id}");
        }
    }

    /// A control run of a workload does the same, and a workload that is a control run stays as it is.
    #[test]
    fn a_workload_is_its_own_control() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        for workload in workloads.scenarios() {
            let control = workload.control();
            assert_eq!(control.steps.len(), workload.steps.len(), "{}", workload.finding);
            assert_eq!(control, control.control(), "{}", workload.finding);
            control.check().expect("a schedule that can be carried out");
        }
    }

    /// Each is a schedule that can be carried out, so only the disturbance in it can be the reason.
    #[rstest]
    #[case::gate(
        "{hold: {gate: g, at: request, on: {route: /events}}}, {app: {running: true}}, {reached: g}, {release: g}"
    )]
    #[case::fault("{inject: {frame: x}}")]
    #[case::cut("{cut: events}")]
    #[case::kill("{engine: kill}, {engine: start}")]
    #[case::freeze("{daemon: freeze}, {daemon: thaw}")]
    #[case::limit("{set: {properties: {running: 'true'}, timeout_s: 1}}")]
    fn a_scenario_with_a_disturbance_is_no_workload(#[case] steps: &str) {
        let text = format!("finding: work-a\nsteps: [{steps}, settle]");
        let refused = Workloads::parse([("a.yaml".to_owned(), Some(text.as_str()))].into_iter());
        let refused = refused.expect_err("no workload").to_string();
        assert_eq!(refused, "workload a.yaml has a gate, a fault or a limit of its own");
    }

    /// Each file breaks one rule, and the message must be the one of that rule.
    #[rstest]
    #[case("a.txt", Some("x"), "is no .yaml file")]
    #[case("a.yaml", None, "is not UTF-8")]
    #[case(
        "a.yaml",
        Some("finding: work-b\nsteps: [settle]"),
        "does not have the id `work-` and its own name"
    )]
    #[case("a.yaml", Some("finding: work-a\nsteps: [hop]"), "is no scenario")]
    #[case("a.yaml", Some("finding: work-a\nsteps: [{release: g}, settle]"), "is no scenario")]
    fn a_file_that_is_no_workload_is_refused(
        #[case] file: &str,
        #[case] text: Option<&'static str>,
        #[case] problem: &str,
    ) {
        let refused = Workloads::parse([(file.to_owned(), text)].into_iter());
        let refused = refused.expect_err("no workload").to_string();
        assert_eq!(refused, format!("workload {file} {problem}"));
    }

    #[test]
    fn workloads_are_selected_by_id_and_by_glob_and_not_by_the_glob_of_all_findings() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        let count = |selector: &str| workloads.select(selector).len();
        assert_eq!(count("work-container-life"), 1);
        assert_eq!(count("work-*"), workloads.scenarios().count());
        assert_eq!((count("*"), count("work-nothing"), count("work-[")), (0, 0, 0));
    }
}
