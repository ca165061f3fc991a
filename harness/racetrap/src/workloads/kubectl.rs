//! Kinds and verbs of the daemon's API, and what a command of kubectl touches of them.

use std::collections::BTreeSet;

use super::item::{Group, Item};

/// Plural names of the daemon's own kinds that have a controller (contract 3.6).
pub(super) const KINDS: [&str; 6] =
    ["apps", "containernamespaces", "containers", "images", "limavms", "volumes"];

/// Kinds for requests, which have a schema and no controller (contract 3.6.16).
pub(super) const REQUESTS: [&str; 5] = [
    "containercreaterequests",
    "imagepullrequests",
    "imagepushrequests",
    "imagescanrequests",
    "volumecreaterequests",
];

/// Kinds of Kubernetes (contract 3.1.8), without those by which an API server governs itself.
pub(super) const BUILTIN: [&str; 7] = [
    "configmaps",
    "events",
    "leases",
    "namespaces",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
];

/// What clients do with objects (contract 3.1.1).
pub(super) const VERBS: [&str; 8] =
    ["apply", "create", "delete", "get", "list", "patch", "update", "watch"];

/// The item of a kind and a verb. Kinds of Kubernetes count once, whatever the verb.
pub(super) fn item(kind: &str, verb: &str) -> Item {
    let is_own = KINDS.contains(&kind);
    Item::new(Group::Api, if is_own { format!("{kind} {verb}") } else { kind.to_owned() })
}

/// Adds what kubectl touches with these arguments. Kinds that the contract does not name are left out.
pub(super) fn touch(arguments: &[&str], touched: &mut BTreeSet<Item>) {
    let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
    let (Some(command), Some(kinds)) = (words.next(), words.next()) else { return };
    let is_all = arguments.iter().any(|word| matches!(*word, "--all" | "-A" | "--all-namespaces"));
    let names_object = words.next().is_some() || kinds.contains('/');
    let verbs: &[&str] = match *command {
        "get" | "describe" if is_watched(arguments) => &["list", "watch"],
        "get" | "describe" if names_object => &["get"],
        "get" | "describe" => &["list"],
        // It lists the objects, and patches each.
        "label" | "annotate" if is_all => &["list", "patch"],
        "label" | "annotate" | "patch" => &["patch"],
        "create" => &["create"],
        "apply" => &["apply"],
        "replace" => &["update"],
        "delete" => &["delete"],
        "wait" => &["list", "watch"],
        _ => &[],
    };
    for kind in kinds.split(',').map(plural) {
        let is_known =
            [KINDS.as_slice(), &REQUESTS, &BUILTIN].iter().any(|it| it.contains(&&*kind));
        let verbs = verbs.iter().filter(|_| is_known);
        touched.extend(verbs.map(|verb| item(&kind, verb)));
    }
}

fn is_watched(arguments: &[&str]) -> bool {
    arguments.iter().any(|word| matches!(*word, "-w" | "--watch" | "--watch-only"))
}

/// The plural name of a kind as kubectl takes it: `app`, `apps`, `app/app`.
fn plural(kind: &str) -> String {
    let kind = kind.split(['/', '.']).next().unwrap_or(kind);
    if kind.ends_with('s') { kind.to_owned() } else { format!("{kind}s") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::daemon::Resource;

    #[rstest]
    #[case("get volumes --all-namespaces", "volumes list")]
    #[case("get app app -o yaml", "apps get")]
    #[case("get app/app", "apps get")]
    #[case("wait app app --for=condition=Settled", "apps list, apps watch")]
    #[case("label volumes --all a=b", "volumes list, volumes patch")]
    #[case("patch limavm rd --type=merge", "limavms patch")]
    #[case("create configmap mine --from-literal=a=b", "configmaps")]
    #[case("delete containernamespace moby", "containernamespaces delete")]
    #[case("get pods", "")]
    #[case("version", "")]
    fn kubectl_touches_a_kind_by_a_verb(#[case] command: &str, #[case] expected: &str) {
        let mut touched = BTreeSet::new();
        touch(&command.split(' ').collect::<Vec<_>>(), &mut touched);
        let names: Vec<_> = touched.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names.join(", "), expected);
    }

    /// The harness lists and watches these kinds of the daemon, so the table must have them.
    #[test]
    fn the_kinds_are_those_that_the_harness_knows() {
        for resource in Resource::ALL {
            let plural = resource.plural();
            assert!(KINDS.contains(&plural) || BUILTIN.contains(&plural), "{plural}");
        }
    }
}
