//! Every kind of step in words.

use racetrap_history::{GateStep, NeighbourStep, Scenario, Step};

use super::messages::{message, write};
use super::{clients, faults, users, waits};

/// A step in words, by its part in the story.
pub(super) enum Told {
    /// Something goes wrong.
    Fault(String),
    /// Somebody does something.
    Action(String),
    /// A preparation, or a wait. The story omits it, because another step tells what came of it.
    Aside(String),
}

/// A step by its part in the story. The match has no wildcard, so a new kind of step does not
/// compile until somebody has found words for it.
pub(super) fn told(step: &Step) -> Told {
    match step {
        Step::Engine(step) => users::engine(step),
        Step::Command(step) => users::command(step),
        Step::Api(step) => users::api(step),
        Step::Daemon(step) => Told::Fault(faults::daemon(step).to_owned()),
        Step::Fault(step) => faults::disturbance(step),
        Step::Docker(step) => faults::docker(step),
        Step::Kubernetes(step) => users::kubernetes(*step),
        Step::Log(step) => Told::Action(clients::client(step)),
        Step::Gate(step @ (GateStep::Serial(_) | GateStep::Free)) => Told::Fault(gate(step)),
        Step::Gate(step) => Told::Aside(gate(step)),
        Step::Wait(step) => Told::Aside(waits::wait(step)),
        Step::Neighbour(NeighbourStep::Does(step)) => match told(step) {
            Told::Fault(text) => Told::Fault(of_neighbour(&text)),
            Told::Action(text) => Told::Action(of_neighbour(&text)),
            Told::Aside(text) => Told::Aside(of_neighbour(&text)),
        },
    }
}

fn of_neighbour(text: &str) -> String {
    format!("the neighbour: {text}")
}

fn gate(step: &GateStep) -> String {
    match step {
        GateStep::Hold(hold) => format!("gate `{}` is to hold {}", hold.gate, message(hold)),
        GateStep::HoldWrite(hold) => format!("gate `{}` is to hold {}", hold.gate, write(&hold.on)),
        GateStep::Reached(gate) => format!("wait until gate `{gate}` holds its message"),
        GateStep::Release(gate) => format!("gate `{gate}` lets its message go"),
        GateStep::Serial(serial) => format!(
            "messages and steps go on one at a time, in an order of seed {} and depth {}",
            serial.seed, serial.depth
        ),
        GateStep::Free => "everything goes on by itself again".to_owned(),
    }
}

/// Every step of a scenario in words, in order.
pub(crate) fn in_words(scenario: &Scenario) -> Vec<String> {
    let words = scenario.steps.iter().map(|step| match told(step) {
        Told::Fault(text) | Told::Action(text) | Told::Aside(text) => text,
    });
    words.collect()
}

#[cfg(test)]
mod tests;
