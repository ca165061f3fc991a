//! Reads a scenario from a text.

use racetrap_history::{FaultStep, GateStep, Scenario, ScheduleError, Side, Step, nearest};
use racetrap_wire::Dialect;
use serde::de::DeserializeOwned;
use serde_yaml::Options;

use super::invalid::Invalid;

/// Reads a scenario from `text`, which errors call `name`, and checks its schedule.
///
/// # Errors
/// A text that holds no scenario, or one that cannot be carried out.
pub fn parse(name: &str, text: &str) -> Result<Scenario, Box<Invalid>> {
    let scenario: Scenario = parse_as(name, text, Kind::Scenario)?;
    scenario
        .check()
        .and_then(|()| check_routes(&scenario))
        .map_err(|error| Invalid::unworkable(name, text, error))?;
    Ok(scenario)
}

/// What a file is, for the words of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A scenario, or a finding that cannot be shown.
    Scenario,
    /// A list of known failures.
    Known,
}

/// Reads `text`, which errors call `name`, and checks nothing else.
pub(crate) fn parse_as<T: DeserializeOwned>(
    name: &str,
    text: &str,
    kind: Kind,
) -> Result<T, Box<Invalid>> {
    serde_yaml::from_str_with_options(text, options())
        .map_err(|error| Invalid::not_of_kind(name, text, kind, &error))
}

/// Checks that the wire knows each route: no message would ever match an unknown one, and the run
/// would end as unknown only after its deadline.
#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps name a route")]
fn check_routes(scenario: &Scenario) -> Result<(), ScheduleError> {
    for (index, step) in scenario.steps.iter().enumerate() {
        let (side, on) = match step {
            Step::Gate(GateStep::Hold(hold)) => (hold.wire, &hold.on),
            Step::Fault(FaultStep::Fault(fault)) => (fault.wire, &fault.on),
            Step::Fault(FaultStep::Answer { wire, on, .. }) => (*wire, on),
            Step::Fault(FaultStep::Record { on, .. }) => (Side::Engine, on),
            _ => continue,
        };
        let known = match side {
            Side::Engine | Side::User => Dialect::Docker.routes(),
            Side::Api | Side::Kubernetes => Dialect::Kubernetes.routes(),
        };
        if let Some(route) = on.route.as_deref().filter(|route| !known.contains(route)) {
            let near = nearest(route, known.iter().copied());
            let near = near.into_iter().take(3).collect::<Vec<_>>().join(", ");
            let expected = format!("a route template of the engine's API, such as {near}");
            return Err(ScheduleError::new(
                index,
                format!("there is no route `{route}`"),
                expected,
            ));
        }
    }
    Ok(())
}

/// How every scenario text is read.
pub(super) fn options() -> Options {
    serde_yaml::options! { with_snippet: false, strict_booleans: true }
}
