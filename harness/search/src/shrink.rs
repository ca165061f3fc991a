//! Removes steps from a failing scenario as long as it fails in the same way.

use racetrap_history::{Scenario, Step, WaitStep};

/// A scenario that fails, and what can still be tried to make it shorter.
///
/// Parts of steps are left out, first large ones and in the end single steps. The caller runs each
/// [`candidate`](Self::candidate) and says by [`keep`](Self::keep) whether it failed in the same way.
#[derive(Clone, Debug)]
pub struct Shrinking {
    best: Scenario,
    /// How many steps are left out at once.
    size: usize,
    /// Where the next part begins.
    at: usize,
    /// Something was left out since parts of one step were begun with.
    shortened: bool,
}

impl Shrinking {
    /// Begins with a scenario that fails.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        let size = (scenario.steps.len() / 2).max(1);
        Self { best: scenario, size, at: 0, shortened: false }
    }

    /// The shortest scenario so far that fails.
    #[must_use]
    pub fn best(&self) -> &Scenario {
        &self.best
    }

    /// The next scenario to try; none if every single step is needed.
    pub fn candidate(&mut self) -> Option<Scenario> {
        loop {
            if self.at >= self.best.steps.len() {
                if self.size > 1 {
                    self.size /= 2;
                } else if !std::mem::take(&mut self.shortened) {
                    return None;
                }
                self.at = 0;
            }
            let candidate = self.without_part();
            // Without its last `settle`, a scenario would be given the same one again.
            if candidate.steps != self.best.steps && candidate.check().is_ok() {
                return Some(candidate);
            }
            self.at += self.size;
        }
    }

    /// Says whether the last candidate fails as the scenario did.
    pub fn keep(&mut self, fails: bool) {
        if fails {
            self.best = self.without_part();
            self.shortened = true;
        } else {
            self.at += self.size;
        }
    }

    fn without_part(&self) -> Scenario {
        let end = self.best.steps.len();
        let part = self.at.min(end)..(self.at + self.size).min(end);
        let mut steps = self.best.steps.clone();
        steps.drain(part);
        // What nobody judges shows nothing.
        let settle = Step::Wait(WaitStep::Settle);
        if steps.last() != Some(&settle) {
            steps.push(settle);
        }
        Scenario { steps, ..self.best.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(steps: &str) -> Scenario {
        let text = format!(r#"{{"finding": "1-A", "steps": {steps}}}"#);
        serde_json::from_str(&text).expect("a scenario")
    }

    /// Runs a shrinking to its end; a scenario fails if it has all `needed` steps.
    fn shrunk(scenario: Scenario, needed: &[Step]) -> (Scenario, usize) {
        let mut shrinking = Shrinking::new(scenario);
        let mut tries = 0;
        while let Some(candidate) = shrinking.candidate() {
            tries += 1;
            shrinking.keep(needed.iter().all(|step| candidate.steps.contains(step)));
        }
        (shrinking.best().clone(), tries)
    }

    #[test]
    fn only_the_steps_that_are_needed_are_left() {
        let long = scenario(
            r#"[{"app": {"running": true}}, {"create_volume": {"name": "a"}}, "settle",
                {"create_volume": {"name": "b"}}, {"remove_volume": {"name": "a"}}, {"cut": "events"},
                {"create_volume": {"name": "c"}}, "settle", {"app": {"running": false}}, "settle"]"#,
        );
        let needed = [long.steps[0].clone(), long.steps[5].clone()];
        let (short, tries) = shrunk(long.clone(), &needed);
        assert_eq!(short.steps, [&needed[..], &long.steps[2..3]].concat());
        assert!(tries < 40, "{tries}");
        let settle = Step::Wait(WaitStep::Settle);
        let acts: Vec<_> = long.steps.iter().filter(|step| **step != settle).cloned().collect();
        let (all, _) = shrunk(long, &acts);
        assert_eq!(all.steps, [&acts[..], &[settle]].concat());
    }

    // Without the gate nobody can wait for it: such a candidate is never handed out.
    #[test]
    fn a_schedule_that_cannot_be_carried_out_is_never_tried() {
        let held = scenario(
            r#"[{"hold": {"gate": "g", "at": "request", "on": {"route": "/events"}}},
                {"app": {"running": true, "wait": false}}, {"reached": "g"}, {"release": "g"}, "settle"]"#,
        );
        let mut shrinking = Shrinking::new(held);
        while let Some(candidate) = shrinking.candidate() {
            candidate.check().expect("a schedule");
            shrinking.keep(false);
        }
    }
}
