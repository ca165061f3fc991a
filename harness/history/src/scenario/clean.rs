//! What runs without a disturbance have shown, for the comparison with a run that has one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::step::Step;

/// Objects by their names, each with its fields and their values.
pub type QuietObjects = BTreeMap<String, BTreeMap<String, String>>;

/// What runs of the same workload without a disturbance have shown once the world was quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clean {
    /// The first steps of the scenario, whose last one settles: the world that it judges is compared. In a
    /// scenario with other first steps, nothing is compared.
    pub after: FirstSteps,
    /// Each object with the fields that had the same value in every such run.
    pub objects: QuietObjects,
    /// How often each mirror may have been written by then, and how many objects of the API it may have been.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, Counts>,
    /// Objects that the disturbance itself changes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub touched: BTreeSet<String>,
}

/// How often something may have happened to one mirror.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Writes that a watch has shown, at most.
    pub writes: u32,
    /// Objects of the API with different UIDs, at most.
    pub objects: u32,
}

/// Some first steps of a scenario, by their number and a digest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstSteps {
    /// How many.
    pub count: usize,
    /// FNV-1a of their JSON, in hexadecimal digits.
    pub digest: String,
}

impl FirstSteps {
    /// All of these steps.
    #[must_use]
    pub fn new(steps: &[Step]) -> Self {
        let text = serde_json::to_string(steps).expect("steps are JSON");
        let digest = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self { count: steps.len(), digest: format!("{digest:016x}") }
    }

    /// Whether a scenario with these steps begins with them.
    #[must_use]
    pub fn begin(&self, steps: &[Step]) -> bool {
        steps.get(..self.count).is_some_and(|first| Self::new(first) == *self)
    }
}
