//! Which message goes on next, when only one may: probabilistic concurrency testing (Burckhardt et al.,
//! ASPLOS 2010).
//!
//! Each stream of messages has a random priority, and the first of those with a message to let go on is
//! the one with the highest priority. At `depth - 1` random places, the stream that would be next gets a
//! priority below all others. A race that needs `depth` orderings, between `n` streams that together have
//! `k` messages, is then met with a probability of at least `1 / (n * k^(depth - 1))`, whatever else
//! happens.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

/// Decides by a seed which of several streams goes on.
#[derive(Clone, Debug)]
pub struct Serial {
    rng: Rng,
    /// High ones go first. Those of streams that were demoted are below `depth`, in the order of the places.
    priorities: BTreeMap<String, u64>,
    depth: u32,
    /// Places at which a stream is demoted, counted in choices from 1, each with its number from 1.
    changes: BTreeMap<u32, u64>,
    choices: u32,
}

impl Serial {
    /// A scheduler for about `length` choices. A `depth` of 1 changes no priority.
    #[must_use]
    pub fn new(seed: u64, depth: u32, length: u32) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x005E_71A1);
        let mut places = BTreeSet::new();
        let wanted = depth.saturating_sub(1).min(length);
        while places.len() < usize::try_from(wanted).unwrap_or_default() {
            places.insert(rng.u32(1..=length));
        }
        // The places come in random order: which of them demotes more than another is chance, too.
        let mut places: Vec<u32> = places.into_iter().collect();
        rng.shuffle(&mut places);
        let changes = places.into_iter().zip(1..).collect();
        Self { rng, priorities: BTreeMap::new(), depth, changes, choices: 0 }
    }

    /// Chooses one of `streams`; nothing if there is none. The same seed and the same streams give the same
    /// choices.
    pub fn choose(&mut self, streams: &BTreeSet<String>) -> Option<String> {
        for stream in streams {
            if !self.priorities.contains_key(stream) {
                let priority = self.fresh();
                self.priorities.insert(stream.clone(), priority);
            }
        }
        let first = |this: &Self| streams.iter().max_by_key(|it| this.priorities[*it]).cloned();
        let mut chosen = first(self)?;
        self.choices += 1;
        if let Some(number) = self.changes.remove(&self.choices) {
            self.priorities.insert(chosen, number);
            chosen = first(self)?;
        }
        Some(chosen)
    }

    /// A priority that no stream has, above those of demoted ones.
    fn fresh(&mut self) -> u64 {
        loop {
            let priority = self.rng.u64(u64::from(self.depth) + 1..);
            if !self.priorities.values().any(|taken| *taken == priority) {
                return priority;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Lets these streams, each with so many messages, go on to their ends.
    fn order(seed: u64, depth: u32, streams: &[(&str, u32)]) -> Vec<String> {
        let length = streams.iter().map(|(_, count)| count).sum();
        let mut serial = Serial::new(seed, depth, length);
        let mut left: BTreeMap<_, _> = streams.iter().copied().collect();
        let mut order = Vec::new();
        loop {
            left.retain(|_, count| *count > 0);
            let names: Vec<_> = left.keys().copied().collect();
            let Some(chosen) = serial.choose(&set(&names)) else { return order };
            *left.get_mut(chosen.as_str()).expect("one of them") -= 1;
            order.push(chosen);
        }
    }

    #[test]
    fn the_same_seed_and_the_same_messages_give_the_same_order() {
        let streams = [("a", 9), ("b", 9), ("c", 9)];
        assert_eq!(order(7, 3, &streams), order(7, 3, &streams));
        let orders: BTreeSet<_> = (0..50).map(|seed| order(seed, 3, &streams)).collect();
        assert!(orders.len() > 20, "{}", orders.len());
    }

    // Without a change of priorities, a stream that was begun goes on to its end.
    #[test]
    fn priorities_change_as_often_as_the_depth_says() {
        let streams = [("a", 9), ("b", 9), ("c", 9)];
        for seed in 0..200 {
            for depth in 1..4 {
                let order = order(seed, depth, &streams);
                let switches = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
                let most = 2 + 2 * (usize::try_from(depth).expect("small") - 1);
                assert!(switches <= most, "seed {seed}, depth {depth}: {order:?}");
            }
        }
    }

    // `b` must come between the fifth and the sixth message of `a`: a race of depth 2. With two streams and
    // eleven messages, the bound is one of 22.
    #[test]
    fn a_race_of_depth_two_is_met_as_often_as_the_bound_says() {
        let streams = [("a", 10), ("b", 1)];
        let seeds = 2_200;
        let met = (0..seeds).filter(|seed| {
            let order = order(*seed, 2, &streams);
            order.iter().position(|stream| stream == "b") == Some(5)
        });
        let met = met.count();
        assert!(met >= 80, "{met} of {seeds}");
    }

    // A stream that comes later is given a priority of its own.
    #[test]
    fn a_stream_that_comes_later_may_go_first() {
        let first = |seed| {
            let mut serial = Serial::new(seed, 1, 10);
            assert_eq!(serial.choose(&set(&["a"])).as_deref(), Some("a"));
            serial.choose(&set(&["a", "b"]))
        };
        let names: BTreeSet<_> = (0..20).filter_map(first).collect();
        assert_eq!(names, set(&["a", "b"]));
        assert_eq!(Serial::new(1, 1, 1).choose(&BTreeSet::new()), None);
    }
}
