//! Which plan is run next.

use std::collections::{BTreeMap, BinaryHeap};

use crate::plan::Plan;

/// What earlier searches have shown of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing that would make it special.
    Nothing,
    /// It was run, and is not handed out again. What it covers counts as covered.
    Done,
    /// It covered something that no plan before it had covered.
    Covered,
    /// It failed.
    Failed,
}

impl Earlier {
    /// Is added to a plan's worth, and outweighs everything that a plan can cover.
    fn bonus(self) -> u64 {
        match self {
            Self::Nothing | Self::Done => 0,
            Self::Covered => 1 << 40,
            Self::Failed => 1 << 41,
        }
    }
}

/// Hands out plans, each time the one with the most that was seldom covered before. So the first plans
/// differ as much as they can, and every kind of place meets every kind of disturbance before one of
/// them comes again.
#[derive(Debug)]
pub struct Order {
    plans: Vec<Option<Plan>>,
    features: Vec<Vec<usize>>,
    earlier: Vec<Earlier>,
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
        Self::after(plans, |_| Earlier::Nothing)
    }

    /// Orders the plans that are left of `plans`: those that failed earlier come first, then those that
    /// covered something new.
    #[must_use]
    pub fn after(plans: Vec<Plan>, earlier: impl Fn(&Plan) -> Earlier) -> Self {
        let earlier: Vec<_> = plans.iter().map(earlier).collect();
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
        let mut covered = vec![0; numbers.len()];
        let is_done = |at: usize| earlier[at] == Earlier::Done;
        for feature in (0..plans.len()).filter(|at| is_done(*at)).flat_map(|at| &features[at]) {
            covered[*feature] += 1;
        }
        let left = (0..plans.len()).filter(|at| !is_done(*at));
        let heap = left.map(|at| (u64::MAX, std::cmp::Reverse(at))).collect();
        let plans = plans.into_iter().map(Some).collect();
        Self { plans, features, earlier, covered, heap }
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
        let new: u64 = parts.map(|feature| 1_000_000 / u64::from(1 + self.covered[*feature])).sum();
        self.earlier[at].bonus() + new
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
