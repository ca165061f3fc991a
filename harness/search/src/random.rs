//! Workloads that nobody wrote: a seed decides what users do, what goes wrong, and when.
//!
//! Every plan uses only some kinds of steps, and these with weights of its own. Workloads that leave
//! something out reach states that a workload with everything in it hardly ever reaches.

use fastrand::Rng;
use racetrap_history::{FindingId, Needs, Scenario, Step};
use serde_json::{Value, json};

use crate::held::concluded;
use crate::objects::{Container, Objects, State};
use crate::operation::step;
use crate::plan::{Plan, Policy};

/// How many steps a plan has before its end.
const LENGTH: std::ops::Range<usize> = 6..20;

/// How many of eight tries go on with a user's step.
const CALM: u8 = 6;

/// Endless plans of one seed. The same seed gives the same plans on every machine.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
    number: u64,
}

impl Random {
    /// The plans of this seed, from the first one on.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, number: 0 }
    }
}

impl Iterator for Random {
    type Item = Plan;

    fn next(&mut self) -> Option<Plan> {
        loop {
            self.number += 1;
            let mut drawn = Drawing::new(self.seed, self.number);
            drawn.draw();
            let finding = format!("random-{}-{}", self.seed, self.number);
            let finding: FindingId = finding.parse().expect("letters, digits and hyphens");
            let workload = Scenario {
                finding,
                about: None,
                replay: None,
                needs: Needs::default(),
                clean: None,
                steps: Vec::new(),
            };
            let (place, done) = (drawn.worst.unwrap_or("nothing"), "drawn steps");
            let plan = Plan::new(&workload, Policy::Random, place, done, concluded(drawn.steps));
            // An operation on what another one has removed is drawn now and then.
            if plan.scenario.check().is_ok() {
                return Some(plan);
            }
        }
    }
}

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Images,
    Containers,
    States,
    Volumes,
    Wishes,
    Deletions,
    Prunes,
    App,
    Cuts,
    Freezes,
    DaemonEnds,
    EngineEnds,
    Settles,
}

const USERS: [Kind; 7] = [
    Kind::Images,
    Kind::Containers,
    Kind::States,
    Kind::Volumes,
    Kind::Wishes,
    Kind::Deletions,
    Kind::Prunes,
];

const OTHERS: [Kind; 6] =
    [Kind::App, Kind::Cuts, Kind::Freezes, Kind::DaemonEnds, Kind::EngineEnds, Kind::Settles];

/// A plan while it is drawn.
struct Drawing {
    rng: Rng,
    users: Vec<Kind>,
    others: Vec<Kind>,
    objects: Objects,
    steps: Vec<Step>,
    /// How many objects were made: each has a name of its own, unless an old name is taken again.
    made: usize,
    /// The step that ends a darkness that was begun.
    pending: Option<Value>,
    worst: Option<&'static str>,
    /// The App was started once.
    has_app: bool,
}

impl Drawing {
    fn new(seed: u64, number: u64) -> Self {
        // Plans of neighbouring numbers have nothing in common.
        let mut rng =
            Rng::with_seed(seed.rotate_left(32) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut weighted = |kinds: &[Kind]| -> Vec<Kind> {
            let weighted: Vec<_> = kinds
                .iter()
                .flat_map(|kind| std::iter::repeat_n(*kind, [0, 0, 1, 2, 4][rng.usize(..5)]))
                .collect();
            if weighted.is_empty() { kinds.to_vec() } else { weighted }
        };
        let (users, others) = (weighted(&USERS), weighted(&OTHERS));
        Self {
            rng,
            users,
            others,
            objects: Objects::default(),
            steps: Vec::new(),
            made: 0,
            pending: None,
            worst: None,
            has_app: false,
        }
    }

    fn draw(&mut self) {
        let length = self.rng.usize(LENGTH);
        let first = self.rng.usize(..4);
        self.push(json!({"load_image": {"image": "base", "tags": ["base:1"]}}));
        // Some kinds of steps are impossible in some states, so a draw may come to nothing.
        for _ in 0..4 * length {
            if self.steps.len() >= length {
                break;
            }
            if self.steps.len() > first && !self.objects.app_runs && self.pending.is_none() {
                let wait = self.rng.bool();
                self.push(json!({"app": {"running": true, "wait": wait}}));
            }
            let calm = self.rng.u8(..8) < CALM;
            let kinds = if calm { &self.users } else { &self.others };
            let kind = kinds[self.rng.usize(..kinds.len())];
            self.draw_step(kind);
        }
        self.end_darkness();
        // Without an App there is nothing to be judged.
        if !self.has_app {
            self.push(json!({"app": {"running": true}}));
        }
    }

    fn push(&mut self, value: Value) {
        let step = step(value);
        self.objects.apply(&step);
        self.has_app |= self.objects.app_runs;
        self.steps.push(step);
    }

    fn name(&mut self, prefix: &str) -> String {
        // A name that was used before, and is free again, is worth more than a new one.
        let old = format!("{prefix}{}", self.rng.usize(..=self.made));
        let is_free =
            !self.objects.nameable().contains(&old) && !self.objects.may_have_container(&old);
        if is_free && self.rng.bool() {
            return old;
        }
        self.made += 1;
        format!("{prefix}{}", self.made)
    }

    fn one_of<T: Clone>(&mut self, of: impl IntoIterator<Item = T>) -> Option<T> {
        let all: Vec<T> = of.into_iter().collect();
        if all.is_empty() { None } else { Some(all[self.rng.usize(..all.len())].clone()) }
    }

    fn draw_step(&mut self, kind: Kind) {
        let drawn = match kind {
            Kind::Images => self.image(),
            Kind::Containers => self.container(),
            Kind::States => self.state(),
            Kind::Volumes => self.volume(),
            Kind::Wishes => self.wish(),
            Kind::Deletions => return self.deletion(),
            Kind::Prunes => self
                .one_of(["containers", "images", "volumes", "all"])
                .map(|it| json!({"prune": it})),
            Kind::App if self.pending.is_none() => {
                let running = !self.objects.app_runs;
                Some(json!({"app": {"running": running, "wait": self.rng.bool()}}))
            }
            Kind::Cuts => return self.cut(),
            Kind::Freezes => return self.darken("the daemon frozen", "daemon", "freeze", "thaw"),
            Kind::DaemonEnds => {
                let how = if self.rng.bool() { "kill" } else { "stop" };
                return self.darken("the daemon ended", "daemon", how, "start");
            }
            Kind::EngineEnds => return self.restart_engine(),
            Kind::Settles if self.pending.is_none() && self.has_app => Some(json!("settle")),
            Kind::App | Kind::Settles => None,
        };
        if let Some(drawn) = drawn {
            self.push(drawn);
        }
    }

    fn image(&mut self) -> Option<Value> {
        let tag = format!("t{}:1", self.rng.u8(..4));
        let alias = self.one_of(self.objects.images.keys().cloned().collect::<Vec<_>>());
        match (self.rng.u8(..5), alias) {
            (0, Some(image)) => Some(json!({"tag": {"image": image, "tag": tag}})),
            (1, Some(image)) => {
                let tag = self.one_of(self.objects.images[&image].clone())?;
                Some(json!({"untag": {"tag": tag, "force": true}}))
            }
            (2, Some(image)) if !self.objects.has_container(&image) => {
                Some(json!({"remove_image": {"image": image, "force": true}}))
            }
            (3, _) => Some(json!({"load_image": {"image": self.name("i")}})),
            _ => Some(json!({"load_image": {"image": self.name("i"), "tags": [tag]}})),
        }
    }

    fn container(&mut self) -> Option<Value> {
        let image = self.one_of(self.objects.images.keys().cloned().collect::<Vec<_>>());
        let name = self.one_of(self.objects.containers.keys().cloned().collect::<Vec<_>>());
        match (self.rng.u8(..4), name, image) {
            (0, Some(name), _) => Some(json!({"remove_container": {"name": name}})),
            (1, Some(name), _) => Some(json!({"rename": {"name": name, "to": self.name("c")}})),
            (_, _, Some(image)) => {
                let (name, start) = (self.name("c"), self.rng.bool());
                Some(json!({"create_container": {"name": name, "image": image, "start": start}}))
            }
            _ => None,
        }
    }

    fn state(&mut self) -> Option<Value> {
        let known: Vec<(String, State)> = self
            .objects
            .containers
            .iter()
            .map(|(name, Container { state, .. })| (name.clone(), *state))
            .collect();
        let (name, state) = self.one_of(known)?;
        let ops: &[&str] = match state {
            State::Running => &["stop", "kill", "pause", "restart"],
            State::Stopped => &["start", "restart"],
            State::Paused => &["unpause"],
            State::Unclear => &[],
        };
        let op = self.one_of(ops.iter().copied())?;
        Some(json!({"container": {"name": name, "op": op}}))
    }

    fn volume(&mut self) -> Option<Value> {
        let unused: Vec<_> =
            self.objects.volumes.iter().filter(|it| !self.objects.is_used(it)).cloned().collect();
        match (self.rng.u8(..3), self.one_of(unused)) {
            (0, Some(name)) => Some(json!({"remove_volume": {"name": name}})),
            _ => Some(json!({"create_volume": {"name": self.name("v")}})),
        }
    }

    /// A user of the API wants a state. The mirror must be there.
    fn wish(&mut self) -> Option<Value> {
        let name = self.one_of(self.objects.containers.keys().cloned().collect::<Vec<_>>())?;
        if !self.is_mirroring() {
            return None;
        }
        let action = self.one_of(["start", "stop", "restart"])?;
        self.push(json!({"await": {"container": {"name": name}}}));
        Some(json!({"act": {"container": name, "action": action}}))
    }

    /// A user of the API deletes a mirror, which must be there.
    fn deletion(&mut self) {
        if !self.is_mirroring() {
            return;
        }
        let unused = self.objects.volumes.iter().filter(|it| !self.objects.is_used(it));
        let volumes = unused.map(|name| (json!({"volume": name}), json!({"volume": name})));
        let containers = self
            .objects
            .containers
            .keys()
            .map(|name| (json!({"container": {"name": name}}), json!({"container": name})));
        let all: Vec<_> = volumes.chain(containers).collect();
        if let Some((there, mirror)) = self.one_of(all) {
            self.push(json!({"await": there}));
            self.push(json!({"delete": mirror}));
        }
    }

    /// Whether a mirror can be waited for.
    fn is_mirroring(&self) -> bool {
        self.objects.app_runs && self.pending.is_none()
    }

    fn cut(&mut self) {
        if self.pending.is_some() {
            return self.end_darkness();
        }
        if !self.objects.app_runs {
            return;
        }
        // Before the daemon has connected, there is nothing to cut.
        self.push(json!("settle"));
        self.worst = self.worst.or(Some("connections cut"));
        if self.rng.bool() {
            let streams = self.one_of(["events", "all"]);
            self.push(json!({"cut": streams}));
        } else {
            self.push(json!("refuse"));
            self.push(json!({"cut": "all"}));
            self.pending = Some(json!("accept"));
        }
    }

    fn darken(&mut self, what: &'static str, of: &str, begin: &str, end: &str) {
        if self.pending.is_some() {
            return self.end_darkness();
        }
        self.worst = Some(what);
        self.push(json!({of: begin}));
        self.pending = Some(json!({of: end}));
    }

    fn end_darkness(&mut self) {
        if let Some(end) = self.pending.take() {
            self.push(end);
        }
    }

    fn restart_engine(&mut self) {
        self.worst = Some("the engine restarted");
        let how = if self.rng.bool() { "kill" } else { "stop" };
        self.push(json!({"engine": how}));
        self.push(json!({"engine": "start"}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plans_and_another_one_others() {
        let plans = |seed| Random::new(seed).take(50).collect::<Vec<_>>();
        assert_eq!(plans(1), plans(1));
        assert_ne!(plans(1), plans(2));
    }

    // A swarm leaves kinds of steps out: no kind is in every plan, and each is in some.
    #[test]
    fn every_kind_of_step_is_in_some_plans_and_not_in_all() {
        let texts: Vec<_> = Random::new(7)
            .take(200)
            .map(|plan| serde_json::to_string(&plan.scenario.steps).expect("JSON"))
            .collect();
        let words = ["remove_image", "rename", "pause", "remove_volume", "\"act\"", "\"delete\""];
        for word in words.into_iter().chain(["prune", "refuse", "freeze", "kill", "\"engine\""]) {
            let with = texts.iter().filter(|text| text.contains(word)).count();
            assert!((1..200).contains(&with), "{word}: {with}");
        }
    }
}
