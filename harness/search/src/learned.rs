//! What several runs of a workload without faults show of its daemon.

use racetrap_history::{Record, Scenario};
use serde::{Deserialize, Serialize};

use crate::quiet::{Quiet, quiet};
use crate::site::{Site, sites};

/// The sites of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// The workload.
    pub workload: Scenario,
    /// How many runs without a failure were read.
    pub runs: usize,
    /// Sites that every run had, in the order of their steps.
    pub sites: Vec<Site>,
    /// Sites that only some runs had: their number differs between clean runs by itself.
    pub unstable: Vec<Unstable>,
    /// What the runs had in common whenever the world was quiet.
    #[serde(default)]
    pub quiet: Vec<Quiet>,
}

/// A site that only some runs had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unstable {
    /// The site.
    pub site: Site,
    /// How many runs had it.
    pub runs: usize,
}

/// Reads the sites of `workload` from histories of it without faults.
#[must_use]
pub fn learn(workload: &Scenario, histories: &[Vec<Record>]) -> Learned {
    let mut found: Vec<Unstable> = Vec::new();
    for history in histories {
        for site in sites(history) {
            match found.iter_mut().find(|known| known.site.identity() == site.identity()) {
                Some(known) => {
                    known.runs += 1;
                    known.site.about = known.site.about.take().or(site.about);
                    known.site.repeated |= site.repeated;
                }
                None => found.push(Unstable { site, runs: 1 }),
            }
        }
    }
    found.sort_by(|one, other| one.site.identity().cmp(&other.site.identity()));
    let runs = histories.len();
    let (stable, unstable): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.runs == runs);
    Learned {
        workload: workload.clone(),
        runs,
        sites: stable.into_iter().map(|stable| stable.site).collect(),
        unstable,
        quiet: quiet(histories),
    }
}
