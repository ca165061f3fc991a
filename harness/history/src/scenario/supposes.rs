//! What a scenario supposes of the daemon, beyond what every revision promises (contract 9).
//!
//! A step that waits for a condition supposes that the App has it; a promise about docker's contexts
//! supposes that the daemon keeps one. A scenario can name the rest in its `needs`.

use std::collections::BTreeSet;

use super::command::CommandStep;
use super::docker::{DockerStep, OURS};
use super::document::Scenario;
use super::level::{Await, WaitStep};
use super::step::{NeighbourStep, Step};

/// The chapter of the contract about docker's contexts.
const CONTEXTS: &str = "5";

/// The chapter of the contract about the passthrough.
const PASSTHROUGH: &str = "6";

/// The condition of a daemon that looks after the guest's Kubernetes.
const KUBERNETES: &str = "KubernetesReady";

/// What a scenario supposes of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supposes {
    /// Conditions that the App has.
    pub conditions: BTreeSet<String>,
    /// The daemon keeps a context of the docker command.
    pub contexts: bool,
    /// The daemon passes logs of containers through.
    pub passthrough: bool,
    /// The daemon can run its VM by `wsl.exe` on the harness's platform.
    pub wsl: bool,
}

impl Scenario {
    /// What this scenario supposes of the daemon, by its `needs`, its steps and its promises.
    #[must_use]
    pub fn supposes(&self) -> Supposes {
        let promises = self.about.iter().flat_map(|about| &about.promises);
        let chapters: BTreeSet<_> = promises.map(|promise| promise.chapter()).collect();
        let mut supposes = Supposes {
            conditions: self.needs.conditions.iter().cloned().collect(),
            contexts: self.needs.contexts || chapters.contains(CONTEXTS),
            passthrough: self.needs.passthrough || chapters.contains(PASSTHROUGH),
            wsl: self.needs.wsl.is_some(),
        };
        if self.needs.kubernetes {
            supposes.conditions.insert(KUBERNETES.to_owned());
        }
        self.steps.iter().for_each(|step| supposes.add(step));
        supposes
    }
}

impl Supposes {
    fn add(&mut self, step: &Step) {
        match step {
            Step::Wait(WaitStep::Await(level)) => self.add_level(level),
            Step::Log(_) => self.passthrough = true,
            Step::Docker(DockerStep::Run(command)) => {
                self.contexts |= command.arguments.iter().any(|argument| argument.contains(OURS));
            }
            Step::Neighbour(NeighbourStep::Does(step)) => self.add(step),
            Step::Wait(WaitStep::Settle)
            | Step::Docker(_)
            | Step::Kubernetes(_)
            | Step::Engine(_)
            | Step::Command(
                CommandStep::App(_)
                | CommandStep::Set(_)
                | CommandStep::RunCommand(_)
                | CommandStep::Returned(_)
                | CommandStep::Interrupt(_),
            )
            | Step::Api(_)
            | Step::Daemon(_)
            | Step::Gate(_)
            | Step::Fault(_) => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other levels are there in every revision")]
    fn add_level(&mut self, level: &Await) {
        match level {
            Await::Condition { r#type, .. } | Await::Reason { r#type, .. } => {
                self.conditions.insert(r#type.clone());
            }
            Await::CurrentContext(name) if name == OURS => self.contexts = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supposes(rest: &str) -> Supposes {
        let text = format!(r#"{{"finding": "1-A", {rest}}}"#);
        serde_json::from_str::<Scenario>(&text).expect("a scenario").supposes()
    }

    /// Each supposition comes from a step, from a step of a neighbour, or from the needs alone.
    #[test]
    fn steps_and_needs_say_what_is_supposed() {
        assert_eq!(supposes(r#""steps": ["settle"]"#), Supposes::default());
        let found = supposes(
            r#""steps": [{"await": {"condition": {"type": "Settled", "status": "True"}}},
                {"neighbour": {"await": {"reason": {"type": "Other", "reason": "x"}}}}]"#,
        );
        assert_eq!(found.conditions, ["Other", "Settled"].map(str::to_owned).into());
        assert!(supposes(r#""steps": [{"await": {"current_context": "$ours"}}]"#).contexts);
        assert!(!supposes(r#""steps": [{"await": {"current_context": "mine"}}]"#).contexts);
        assert!(supposes(r#""steps": [{"docker": {"arguments": ["-c", "$ours"]}}]"#).contexts);
        assert!(supposes(r#""steps": ["read_discovery"]"#).passthrough);
        let needs = r#""needs": {"conditions": ["A"], "contexts": true, "passthrough": true}"#;
        let found = supposes(&format!(r#"{needs}, "steps": []"#));
        let conditions = ["A".to_owned()].into();
        assert_eq!(found, Supposes { conditions, contexts: true, passthrough: true, wsl: false });
        assert!(supposes(r#""needs": {"wsl": {}}, "steps": []"#).wsl);
        let found = supposes(r#""needs": {"kubernetes": true}, "steps": []"#);
        assert_eq!(found.conditions, ["KubernetesReady".to_owned()].into());
    }

    /// The promises that a finding exercises count as well.
    #[test]
    fn promises_say_what_is_supposed() {
        let about = |promise: &str| {
            format!(
                r#""about": {{"title": "t", "source": "s", "broken": "b", "correct": "c",
                "oracle": "liveness", "promises": ["{promise}"], "defect": "d",
                "unrelated": "u"}}, "steps": []"#
            )
        };
        assert!(supposes(&about("5.2.5")).contexts);
        assert!(supposes(&about("6.1.24")).passthrough);
        assert_eq!(supposes(&about("4.2.7")), Supposes::default());
    }
}
