//! Which messages and writes a step is about.

use racetrap_history::{Hold, Match, WriteMatch};

/// A write to the daemon's API that the harness's admission holds or denies.
pub(super) fn write(on: &WriteMatch) -> String {
    let operation = on.operation.as_deref().unwrap_or("write");
    let name = on.name.as_deref().map(shown).map(|name| format!(" {name}")).unwrap_or_default();
    let manager = on.manager.as_ref().map(|manager| format!(" by {manager}")).unwrap_or_default();
    format!("{operation} of {}{name}{manager}, before it is stored", on.resource)
}

/// An alias such as `$one` is shown as `<one>`, as in timelines. Other values are shown as they
/// are.
pub(super) fn shown(value: &str) -> String {
    value.strip_prefix('$').map_or_else(|| value.to_owned(), |alias| format!("<{alias}>"))
}

pub(super) fn message(hold: &Hold) -> String {
    let on = &hold.on;
    let nth = on.nth.filter(|nth| *nth > 1).map(|nth| format!(", number {nth}"));
    format!("{}, its {}{}", request(on), hold.at, nth.unwrap_or_default())
}

/// The request that a match describes, with the parameters inserted into the route.
pub(super) fn request(on: &Match) -> String {
    let mut route = on.route.clone().unwrap_or_else(|| "any request".to_owned());
    for (name, value) in &on.params {
        route = route.replace(&format!("{{{name}}}"), &shown(value));
    }
    match &on.method {
        Some(method) => format!("{method} {route}"),
        None => route,
    }
}
