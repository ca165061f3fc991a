//! Commands of docker that a user's contexts, logins and objects depend on, and what one of them
//! touches.

use std::collections::BTreeSet;

use super::item::{Group, Item};

/// Commands that change something for the daemon: the configuration that it shares with the user, or
/// the engine in a way that no step of the language has.
pub(super) const COMMANDS: [&str; 27] = [
    "build",
    "commit",
    "context create",
    "context export",
    "context import",
    "context ls",
    "context rm",
    "context show",
    "context update",
    "context use",
    "create",
    "import",
    "login",
    "logout",
    "network connect",
    "network create",
    "network disconnect",
    "network rm",
    "pull",
    "push",
    "rm",
    "run",
    "start",
    "update",
    "volume create",
    "volume prune",
    "volume rm",
];

/// Events that the engine certainly sends after a command that no step of the language replaces.
const EVENTS: [(&str, &str); 6] = [
    ("import", "image import"),
    ("pull", "image pull"),
    ("push", "image push"),
    ("network connect", "network connect"),
    ("network disconnect", "network disconnect"),
    ("update", "container update"),
];

/// Global options with a value behind them.
const WITH_VALUE: [&str; 4] = ["-H", "--host", "-c", "--context"];

/// Commands that are groups of commands.
const GROUPS: [&str; 5] = ["context", "image", "network", "system", "volume"];

/// The command that the arguments name, without options; nothing if there is none.
pub(super) fn name(arguments: &[String]) -> Option<String> {
    let mut words = Vec::new();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        if WITH_VALUE.contains(&word) && words.is_empty() {
            // The value of a global option is no command.
            rest.next();
        } else if !word.starts_with('-') {
            words.push(word);
        }
    }
    let (command, behind) = words.split_first()?;
    match behind.first() {
        Some(verb) if GROUPS.contains(command) => Some(format!("{command} {verb}")),
        _ => Some((*command).to_owned()),
    }
}

/// Adds what docker touches with these arguments.
pub(super) fn touch(arguments: &[String], touched: &mut BTreeSet<Item>) {
    let Some(name) = name(arguments) else { return };
    let events = EVENTS.iter().filter(|(command, _)| *command == name);
    touched.extend(events.map(|(_, event)| Item::new(Group::EngineEvent, *event)));
    if COMMANDS.contains(&name.as_str()) {
        touched.insert(Item::new(Group::Docker, name));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("context create mine --docker host=x", Some("context create"))]
    #[case("-H unix:///x volume prune -f", Some("volume prune"))]
    #[case("-c mine run --detach base:1", Some("run"))]
    #[case("--host", None)]
    #[case("volume", Some("volume"))]
    fn options_are_no_part_of_the_command(#[case] arguments: &str, #[case] expected: Option<&str>) {
        let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
        assert_eq!(name(&arguments).as_deref(), expected);
    }
}
