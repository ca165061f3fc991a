//! Which plan is run next.

use std::collections::{BTreeMap, BinaryHeap};

use crate::plan::Plan;

/// Hands out plans, each time the one with the most that was seldom covered before. So the first plans
/// differ as much as they can, and every kind of place meets every kind of disturbance before one of
/// them comes again.
#[derive(Debug)]
pub struct Order {
    plans: Vec<Option<Plan>>,
    features: Vec<Vec<usize>>,
    /// How often each feature was covered.
    covered: Vec<u32>,
    /// Plans by their worth when it was last computed. A worth only falls, so the first one whose worth
    /// is still what it was is the best one.
    heap: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
}

impl Order {
    /// Orders `plans`. Plans of the same worth keep their order.
    #[must_use]
    pub fn new(plans: Vec<Plan>) -> Self {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let features: Vec<Vec<usize>> = plans
            .iter()
            .map(|plan| {
                let features = plan.features().into_iter();
                features
                    .map(|feature| {
                        let next = numbers.len();
                        *numbers.entry(feature).or_insert(next)
                    })
                    .collect()
            })
            .collect();
        let covered = vec![0; numbers.len()];
        let plans: Vec<_> = plans.into_iter().map(Some).collect();
        let heap = (0..plans.len()).map(|at| (u64::MAX, std::cmp::Reverse(at))).collect();
        Self { plans, features, covered, heap }
    }

    /// How many plans are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn worth(&self, at: usize) -> u64 {
        // In millionths, so that equal worths are equal on every machine.
        let parts = self.features[at].iter();
        parts.map(|feature| 1_000_000 / u64::from(1 + self.covered[*feature])).sum()
    }
}

impl Iterator for Order {
    type Item = Plan;

    fn next(&mut self) -> Option<Plan> {
        loop {
            let (known, std::cmp::Reverse(at)) = self.heap.pop()?;
            let worth = self.worth(at);
            if worth < known {
                self.heap.push((worth, std::cmp::Reverse(at)));
                continue;
            }
            for feature in self.features[at].clone() {
                self.covered[feature] += 1;
            }
            return self.plans[at].take();
        }
    }
}
