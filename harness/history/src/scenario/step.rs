//! One thing that a scenario does.
//!
//! In YAML and JSON a step has the name of its variant alone, such as `create_volume`, whatever part
//! it belongs to: [`Step`] reads that name, and hands the rest to the part that knows it. So the
//! language is flat, and the code is not.

use std::fmt;
use std::sync::OnceLock;

use serde::de::value::{EnumAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, Error, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::api::ApiStep;
use super::command::CommandStep;
use super::daemon::{DaemonOp, DaemonStep};
use super::docker::DockerStep;
use super::engine::EngineStep;
use super::fault::FaultStep;
use super::gate::GateStep;
use super::kubernetes::KubernetesStep;
use super::level::WaitStep;
use super::logs::LogStep;
use super::variants::words;

/// Declares [`Step`] by its parts, so that no part can be forgotten where steps are read, written or
/// named.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident($steps:ty),)+) => {
        /// One thing that a scenario does, by the part that does it.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Step {
            $($(#[$doc])* $part($steps),)+
        }

        impl Serialize for Step {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$part(step) => step.serialize(serializer),)+
                }
            }
        }

        /// The names of all steps.
        fn names() -> &'static [&'static str] {
            static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
            NAMES.get_or_init(|| [$(words::<$steps>(),)+].concat())
        }

        /// Reads what follows the name of a step.
        fn read<'de, A: VariantAccess<'de>>(named: Named<A>) -> Result<Step, A::Error> {
            $(if words::<$steps>().contains(&named.name) {
                let part = EnumAccessDeserializer::new(named);
                return <$steps>::deserialize(part).map(Step::$part);
            })+
            Err(A::Error::unknown_variant(named.name, names()))
        }
    };
}

parts! {
    /// A user of the engine does something, or something happens to the engine's process.
    Engine(EngineStep),
    /// Runs a command of the daemon, or waits for one.
    Command(CommandStep),
    /// A user of the daemon's API does something.
    Api(ApiStep),
    /// Something happens to the daemon's process or to its VM.
    Daemon(DaemonStep),
    /// Does a step to the second daemon of the scenario's needs.
    Neighbour(NeighbourStep),
    /// Arms a gate, waits for it, or opens it.
    Gate(GateStep),
    /// Disturbs messages, connections or writes.
    Fault(FaultStep),
    /// A user of the docker command does something, or the configuration has an accident.
    Docker(DockerStep),
    /// Changes the guest's Kubernetes.
    Kubernetes(KubernetesStep),
    /// Clients of the daemon's log passthrough come, go, or are compared with the engine.
    Log(LogStep),
    /// Waits, and changes nothing.
    Wait(WaitStep),
}

/// A step that is done to the neighbour: the second daemon of the scenario's needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NeighbourStep {
    /// Does this step to it.
    #[serde(rename = "neighbour")]
    Does(Box<Step>),
}

impl Step {
    /// The names of all steps of the language.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        names()
    }

    /// The step that is done to the neighbour, if this is one.
    #[must_use]
    pub fn for_neighbour(&self) -> Option<&Self> {
        match self {
            Self::Neighbour(NeighbourStep::Does(step)) => Some(step),
            Self::Engine(_)
            | Self::Command(_)
            | Self::Api(_)
            | Self::Daemon(_)
            | Self::Gate(_)
            | Self::Fault(_)
            | Self::Docker(_)
            | Self::Kubernetes(_)
            | Self::Log(_)
            | Self::Wait(_) => None,
        }
    }

    /// Whether the step ends the daemon, and with it whatever the daemon waits for.
    #[must_use]
    pub fn ends_daemon(&self) -> bool {
        let Self::Daemon(DaemonStep::Process(op)) = self else { return false };
        matches!(op, DaemonOp::Kill | DaemonOp::Stop | DaemonOp::StopLate)
    }

    /// Whether the step stops the App, and with it what the controllers of the engine wait for (contract 4.6).
    #[must_use]
    pub fn stops_app(&self) -> bool {
        let Self::Command(command) = self else { return false };
        match command {
            CommandStep::App(app) => !app.running,
            CommandStep::Set(set) => {
                set.properties.get("running").is_some_and(|running| running != "true")
            }
            CommandStep::RunCommand(_) | CommandStep::Returned(_) | CommandStep::Interrupt(_) => {
                false
            }
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Step", names(), StepVisitor)
    }
}

struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = Step;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Step, A::Error> {
        let (StepName(name), rest) = access.variant()?;
        read(Named { name, rest })
    }
}

/// The name of a step that there is.
struct StepName(&'static str);

impl<'de> Deserialize<'de> for StepName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = StepName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a step")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StepName, E> {
        let known = names().iter().find(|name| **name == text);
        known.map(|name| StepName(name)).ok_or_else(|| E::unknown_variant(text, names()))
    }
}

/// A step whose name was read, as a part reads it: the name once more, and then the rest. The rest
/// is the original reader's, so that errors keep their places.
struct Named<A> {
    name: &'static str,
    rest: A,
}

impl<'de, A: VariantAccess<'de>> EnumAccess<'de> for Named<A> {
    type Error = A::Error;
    type Variant = A;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, A), A::Error> {
        let name = seed.deserialize(StrDeserializer::new(self.name))?;
        Ok((name, self.rest))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Step, names};

    // A name that two parts have would be read by the first of them alone.
    #[test]
    fn each_name_of_a_step_is_read_by_one_part() {
        let all: BTreeSet<_> = names().iter().collect();
        assert_eq!(all.len(), names().len());
        for name in names() {
            let broken = format!(r#"{{"{name}": {{"no_such_key": 1}}}}"#);
            let error = serde_json::from_str::<Step>(&broken).expect_err("no step has this key");
            assert!(!error.to_string().contains(&format!("unknown variant `{name}`")), "{error}");
        }
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_names_of_all() {
        let error = serde_json::from_str::<Step>(r#"{"make": {}}"#).expect_err("no such step");
        let error = error.to_string();
        assert!(names().iter().all(|name| error.contains(&format!("`{name}`"))), "{error}");
    }

    // One step of each shape: without content, with a word, with keys, and within another one.
    #[test]
    fn a_step_is_written_as_it_was_read() {
        let flat = concat!(
            r#"["settle",{"release":"g"},{"create_volume":{"name":"v"}},{"engine":"kill"},"#,
            r#"{"docker_disk":"full"},{"neighbour":{"neighbour":"settle"}}]"#
        );
        let steps: Vec<Step> = serde_json::from_str(flat).expect("steps");
        assert_eq!(serde_json::to_string(&steps).expect("JSON"), flat);
    }
}
