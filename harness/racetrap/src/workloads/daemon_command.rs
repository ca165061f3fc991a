//! The daemon's command line as chapter 1 of the contract has it, and what one command touches of it.

use std::collections::BTreeSet;

use super::item::{Group, Item};
use super::kubectl;

/// Commands and flags, each with a promise of the contract that is about it.
pub(super) const COMMANDS: [(&str, &str); 64] = [
    ("--instance", "1.1.5"),
    ("--log-format=json", "1.1.2"),
    ("--log-level", "1.1.3"),
    ("called as kubectl or yq", "1.1.6"),
    ("ctl", "1.6.1"),
    ("ctl wait-condition", "1.6.2"),
    ("limavm create", "1.6.3"),
    ("limavm create --dry-run", "1.6.3"),
    ("limavm create --namespace", "1.6.3"),
    ("limavm create --start", "1.6.7"),
    ("limavm delete", "1.6.7"),
    ("limavm delete --wait=false", "1.6.7"),
    ("limavm edit", "1.6.5"),
    ("limavm logs", "1.6.3"),
    ("limavm logs --stdout", "1.6.3"),
    ("limavm restart", "1.6.7"),
    ("limavm restart --timeout", "1.6.7"),
    ("limavm shell", "1.6.6"),
    ("limavm shell --shell", "1.6.6"),
    ("limavm shell --workdir", "1.6.6"),
    ("limavm start", "1.6.7"),
    ("limavm start --timeout", "1.6.7"),
    ("limavm start --wait=false", "1.6.7"),
    ("limavm stop", "1.6.7"),
    ("limavm stop --timeout", "1.6.7"),
    ("limavm stop --timeout=0", "1.6.7"),
    ("run", "1.6.4"),
    ("set", "1.4.1"),
    ("set --dry-run", "1.4.7"),
    ("set --timeout", "1.4.8"),
    ("set --timeout=0", "1.4.8"),
    ("set --wait=false", "1.4.8"),
    ("start", "1.4.2"),
    ("start --timeout", "1.4.8"),
    ("start --timeout=0", "1.4.8"),
    ("start --wait=false", "1.4.8"),
    ("stop", "1.4.2"),
    ("stop --timeout", "1.4.8"),
    ("stop --timeout=0", "1.4.8"),
    ("stop --wait=false", "1.4.8"),
    ("svc config", "1.3.10"),
    ("svc create", "1.3.1"),
    ("svc create --controllers", "1.3.1"),
    ("svc create --secure-port", "1.3.1"),
    ("svc delete", "1.3.8"),
    ("svc log", "1.3.11"),
    ("svc log --follow", "1.3.11"),
    ("svc log --stdout", "1.3.11"),
    ("svc paths", "1.3.12"),
    ("svc paths --output=json", "1.3.12"),
    ("svc paths --output=shell", "1.3.12"),
    ("svc paths KEY", "1.3.12"),
    ("svc serve", "1.3.5"),
    ("svc start", "1.3.2"),
    ("svc start --controllers", "1.3.2"),
    ("svc start --timeout", "1.3.4"),
    ("svc start --wait=false", "1.3.2"),
    ("svc start, running", "1.3.3"),
    ("svc status", "1.3.9"),
    ("svc status, no instance", "1.3.9"),
    ("svc stop", "1.3.6"),
    ("svc stop --timeout", "1.3.7"),
    ("svc stop --wait=false", "1.3.6"),
    ("version", "1.1.8"),
];

/// Texts that the command line takes for `true` and `false`, as Go's parser does.
const TRUE: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

/// Adds what a command with these arguments touches.
pub(super) fn touch(arguments: &[String], touched: &mut BTreeSet<Item>) {
    let mut rest: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = |name: String| {
        touched.insert(Item::new(Group::Command, name));
    };
    let instance = rest.first().filter(|first| first.starts_with("--instance"));
    let names_instance = instance.is_some();
    if let Some(first) = instance {
        let words = if first.contains('=') { 1 } else { 2 };
        command("--instance".to_owned());
        rest.drain(..words.min(rest.len()));
    }
    // What follows `run` and the name of a VM for `shell` belongs to another program.
    if let Some(own) = rest.iter().position(|word| *word == "run").filter(|at| *at == 0) {
        rest.truncate(own + 1);
    }
    let (flags, words): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|word| word.starts_with('-'));
    let Some(verb) = words.first() else { return };
    // Every other flag behind `ctl` is one of kubectl.
    if *verb == "ctl" {
        command("ctl".to_owned());
        if words.get(1) == Some(&"wait-condition") {
            command("ctl wait-condition".to_owned());
        }
        let behind = rest.iter().position(|word| word == verb).map_or(0, |at| at + 1);
        kubectl::touch(&rest[behind..], touched);
        return;
    }
    let (name, operands) = match (*verb, words.get(1)) {
        ("svc" | "service", Some(verb)) => (format!("svc {verb}"), &words[2..]),
        ("limavm" | "lima", Some(&"log")) => ("limavm logs".to_owned(), &words[2..]),
        ("limavm" | "lima", Some(verb)) => (format!("limavm {verb}"), &words[2..]),
        _ => ((*verb).to_owned(), &words[1..]),
    };
    command(name.clone());
    for flag in flags {
        let (flag, value) = flag.split_once('=').unwrap_or((flag, ""));
        match flag {
            "--log-level" => command(flag.to_owned()),
            "--log-format" | "--output" | "--wait" => {
                let owner = if flag == "--log-format" { "" } else { name.as_str() };
                command(format!("{owner} {flag}={value}").trim_start().to_owned());
            }
            _ => command(format!("{name} {flag}")),
        }
        if (flag, value) == ("--timeout", "0") {
            command(format!("{name} --timeout=0"));
        }
    }
    match name.as_str() {
        "svc status" if names_instance => command("svc status, no instance".to_owned()),
        "svc paths" if !operands.is_empty() => command("svc paths KEY".to_owned()),
        // A dry run sets nothing.
        "set" if !rest.contains(&"--dry-run") => {
            let properties = operands.iter().filter_map(|operand| operand.split_once('='));
            touch_properties(properties, touched);
        }
        "start" => touch_properties([("running", "true")].into_iter(), touched),
        "stop" => touch_properties([("running", "false")].into_iter(), touched),
        _ => {}
    }
}

/// Adds the properties that one command sets. A value that the command refuses touches no property.
pub(super) fn touch_properties<'a>(
    properties: impl Iterator<Item = (&'a str, &'a str)>,
    touched: &mut BTreeSet<Item>,
) {
    let mut count = 0;
    for (name, value) in properties {
        count += 1;
        let value = match value {
            value if TRUE.contains(&value) => "true",
            value if FALSE.contains(&value) => "false",
            value => value,
        };
        let item = if name == "kubernetes.version" {
            Item::new(Group::Property, name)
        } else {
            Item::new(Group::Property, format!("{name}={value}"))
        };
        if PROPERTIES.contains(&item.name.as_str()) {
            touched.insert(item);
        }
    }
    if count > 1 {
        touched.insert(Item::new(Group::Property, SEVERAL));
    }
}

/// Several properties in one command.
const SEVERAL: &str = "several at once";

/// Properties of the App with their values (contract 1.4.3). Versions of Kubernetes are many.
pub(super) const PROPERTIES: [&str; 8] = [
    "containerEngine.name=containerd",
    "containerEngine.name=moby",
    "kubernetes.enabled=false",
    "kubernetes.enabled=true",
    "kubernetes.version",
    "running=false",
    "running=true",
    SEVERAL,
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::contract::Contract;

    #[rstest]
    #[case("--instance=97 svc paths", "--instance; svc paths")]
    #[case("--instance=97 svc status", "--instance; svc status; svc status, no instance")]
    #[case("svc paths --output=json dir", "svc paths; svc paths --output=json; svc paths KEY")]
    #[case("set --timeout=0 running=1", "set; set --timeout; set --timeout=0; running=true")]
    #[case(
        "--log-format=json stop --wait=false",
        "--log-format=json; stop; stop --wait=false; running=false"
    )]
    #[case("set speed=high running=maybe", "set; several at once")]
    #[case("set --dry-run running=1", "set; set --dry-run")]
    #[case("ctl get volumes -A", "ctl; volumes list")]
    #[case("run sh -c true", "run")]
    #[case("limavm create two mine --start", "limavm create; limavm create --start")]
    #[case("lima log --stdout rd", "limavm logs; limavm logs --stdout")]
    #[case(
        "limavm stop rd --timeout=0",
        "limavm stop; limavm stop --timeout; limavm stop --timeout=0"
    )]
    #[case("limavm shell --shell=/bin/sh rd id", "limavm shell; limavm shell --shell")]
    #[case("svc", "svc")]
    #[case("--instance", "--instance")]
    fn a_command_touches_itself_and_its_flags(#[case] command: &str, #[case] expected: &str) {
        let mut touched = BTreeSet::new();
        let arguments: Vec<_> = command.split(' ').map(str::to_owned).collect();
        touch(&arguments, &mut touched);
        let expected: BTreeSet<_> = expected.split("; ").collect();
        assert_eq!(
            touched.iter().map(|item| item.name.as_str()).collect::<BTreeSet<_>>(),
            expected
        );
    }

    /// A promise about a command that the table does not have would be a gap that nobody sees.
    #[test]
    fn every_promise_about_the_service_and_other_commands_is_one_of_the_table() {
        let contract = Contract::embedded().unwrap();
        let cited: BTreeSet<_> = COMMANDS.iter().map(|(_, promise)| *promise).collect();
        assert!(cited.iter().all(|promise| contract.cites(promise)), "{cited:?}");
        for (number, text) in contract.promises() {
            let number = number.to_string();
            // How the daemon decides whether the service runs is about no command of its own.
            let about_command = number.starts_with("1.3.") || number.starts_with("1.6.");
            let is_cited = cited.contains(number.as_str()) || number == "1.3.13";
            assert!(!about_command || is_cited, "{number}: {text}");
        }
    }
}
