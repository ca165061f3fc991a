//! What reports say of known failures, and of runs in which nothing was shown.

use std::path::Path;

use super::case::{Case, State};
use super::terminal::Paint;
use crate::known::{KnownState, Repair};

/// One line for each listed failure that a run has, or does not have any more.
pub(super) fn lines(known: &KnownState) -> Vec<String> {
    let matched = known.matched.iter();
    let matched = matched.map(|it| format!("{}: {} (since {})", it.oracle, it.why, it.since));
    let repaired = known.repaired.iter().map(|it| {
        format!(
            "{} is listed as failing since {}, and this run passed: {}",
            it.oracle, it.since, it.why
        )
    });
    matched.chain(repaired).collect()
}

/// One line for each listed failure that not every run has shown.
pub(crate) fn repairs(repairs: &[Repair], list: Option<&Path>, paint: Paint) -> String {
    let list = list.map(|path| path.display().to_string()).unwrap_or_default();
    let line = |repair: &Repair| {
        let Repair { failure, passed, runs } = repair;
        let label = paint.good(&format!("{:>12}", "Repaired"));
        let finding = paint.strong(failure.finding.as_str());
        let plural = if *runs == 1 { "run" } else { "runs" };
        format!(
            "{label} {finding} {}: passed in {passed} of {runs} {plural}; listed in {list} since {}: {}\n",
            failure.oracle, failure.since, failure.why
        )
    };
    repairs.iter().map(line).collect()
}

/// A sentence if no run has shown anything, because no scenario is applicable to the daemon.
pub(crate) fn nothing_shown(cases: &[Case]) -> Option<String> {
    let none = !cases.is_empty() && cases.iter().all(|case| case.state == State::NotApplicable);
    let plural = if cases.len() == 1 { "the only run is" } else { "all runs are" };
    none.then(|| {
        format!("nothing was shown: {plural} not applicable to this daemon ({})", cases.len())
    })
}
