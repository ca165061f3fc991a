//! The top-level modules of a package are layers: a module uses those below it only.
//!
//! ARCHITECTURE.md draws them. Below its heading `## Layers`, a line with the path of a package begins a
//! list, and each line `N. name` is a layer of it, the lowest first.

use std::collections::{BTreeMap, BTreeSet};

use super::Tree;
use super::source::{after, braced, identifier, is_test, listed, production};

/// A package's directory and its modules, the lowest first.
pub(super) const ORDER: [(&str, &[&str]); 4] = [
    (
        "harness/history/src",
        &[
            "promise",
            "scenario",
            "record",
            "schedule",
            "check",
            "verdict",
            "journal",
            "mirror",
            "steps",
            "view",
            "quiet_state",
            "canon",
            "comparison",
            "oracle",
            "timeline",
            "judge",
            "replay",
        ],
    ),
    (
        "harness/search/src",
        &[
            "call",
            "objects",
            "site",
            "quiet",
            "learned",
            "operation",
            "plan",
            "checks",
            "held",
            "compared",
            "dark",
            "poison",
            "planner",
            "random",
            "serial",
            "serial_plans",
            "hunt",
            "order",
            "signature",
            "shrink",
        ],
    ),
    (
        "harness/wire/src",
        &[
            "clock",
            "error",
            "frame",
            "http1",
            "phase",
            "point",
            "dialect",
            "connection_state",
            "injection",
            "head_edits",
            "json_edits",
            "event",
            "route",
            "transport",
            "call",
            "rules",
            "gate",
            "shared",
            "context",
            "wire",
            "faults",
            "exchange",
            "listener",
            "lifecycle",
        ],
    ),
    (
        "harness/racetrap/src",
        &[
            "chain",
            "clock",
            "world_directory",
            "mask",
            "recorder",
            "wait",
            "sys",
            "cache",
            "process",
            "intent",
            "certificate",
            "wire_record",
            "timeline",
            "derived",
            "deadline",
            "contract",
            "scenario_file",
            "workloads",
            "catalogue",
            "known",
            "apt",
            "vm",
            "engine",
            "docker_cli",
            "kubernetes",
            "daemon",
            "passthrough",
            "bundle",
            "bundle_server",
            "world",
            "run",
            "matrix",
            "search",
            "report",
            "cli",
        ],
    ),
];

pub(super) fn modules_use_those_below_them(tree: &Tree) -> Vec<String> {
    ORDER.iter().flat_map(|(package, order)| ordered(tree, package, order)).collect()
}

pub(super) fn the_architecture_draws_the_layers(tree: &Tree) -> Vec<String> {
    ORDER.iter().filter_map(|(package, order)| drawn(tree, package, order)).collect()
}

/// What is wrong with one package.
fn ordered(tree: &Tree, package: &str, order: &[&str]) -> Vec<String> {
    let modules = modules(tree, package);
    let is_listed = |module: &String| order.contains(&module.as_str());
    let unlisted = modules.iter().filter(|module| !is_listed(module));
    let mut wrong: Vec<_> =
        unlisted.map(|module| format!("{package}/{module}: has no place in the order")).collect();
    let missing = order.iter().filter(|name| !modules.contains(**name));
    wrong
        .extend(missing.map(|name| format!("{package}/{name}: is in the order, and is not there")));
    let height: BTreeMap<_, _> =
        order.iter().zip(0..).map(|(name, height)| (*name, height)).collect();
    let exported = tree.get(&format!("{package}/lib.rs")).map(|text| exports(text));
    let exported = exported.unwrap_or_default();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".rs") && !is_test(path)) {
        let Some(file) = path.strip_prefix(package).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let module = file.split(['/', '.']).next().unwrap_or(file);
        let Some(own) = height.get(module) else { continue };
        for (line, name) in of_the_crate(&production(text), depth(file)) {
            let used = exported.get(&name).unwrap_or(&name);
            if height.get(used.as_str()).is_some_and(|used| used > own) {
                wrong.push(format!("{path}:{line}: {module} is below {used}"));
            }
        }
    }
    wrong
}

/// The top-level modules of a package: its files and folders, but for the roots of its programs.
fn modules(tree: &Tree, package: &str) -> BTreeSet<String> {
    let files = tree.keys().filter(|path| path.ends_with(".rs"));
    let files = files.filter_map(|path| path.strip_prefix(package)?.strip_prefix('/'));
    let names = files.map(|file| file.split(['/', '.']).next().unwrap_or(file).to_owned());
    names.filter(|name| !["lib", "main", "tests"].contains(&name.as_str())).collect()
}

/// How many modules a file is below the root of its package.
fn depth(file: &str) -> usize {
    let parts = file.split('/').count();
    if file.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Line and name of everything of the package's root that a file names: `crate::name`,
/// `crate::{name, …}`, and as many `super::` as lead there.
fn of_the_crate(text: &str, depth: usize) -> Vec<(usize, String)> {
    let mut places = after(text, "crate::");
    for (line, rest) in after(text, "super::") {
        let inner = rest.trim_start_matches("super::");
        let steps = 1 + (rest.len() - inner.len()) / "super::".len();
        // A chain is met again at each of its later steps; only the whole of it leads to the root.
        let begins = !text[..text.len() - rest.len() - "super::".len()].ends_with("::");
        if steps == depth && begins {
            places.push((line, inner));
        }
    }
    let names = places.into_iter().flat_map(|(line, rest)| {
        let parts = braced(rest).map_or_else(|| vec![rest], listed);
        parts.into_iter().map(move |part| (line, identifier(part).to_owned())).collect::<Vec<_>>()
    });
    names.filter(|(_, name)| !name.is_empty()).collect()
}

/// The modules that names at the root of the package come from, as `use module::name` there says.
fn exports(root: &str) -> BTreeMap<String, String> {
    let mut from = BTreeMap::new();
    for (_, rest) in after(&production(root), "use ") {
        let statement = rest.split(';').next().unwrap_or(rest);
        let module = identifier(statement);
        let names = statement.split(['{', '}', ',']).filter_map(|part| {
            let last = part.rsplit("::").next().unwrap_or(part);
            Some(last.rsplit(" as ").next()?.trim()).filter(|name| !name.is_empty())
        });
        from.extend(names.map(|name| (name.to_owned(), module.to_owned())));
    }
    from
}

/// Says how the list of a package in ARCHITECTURE.md differs from its order.
fn drawn(tree: &Tree, package: &str, order: &[&str]) -> Option<String> {
    let text = tree.get("ARCHITECTURE.md").map_or("", String::as_str);
    let layers = text.lines().skip_while(|line| *line != "## Layers").skip(1);
    let layers = layers.take_while(|line| !line.starts_with("## "));
    let list = layers.skip_while(|line| line.trim() != package).skip(1);
    let names = list.filter(|line| !line.trim().is_empty()).map_while(|line| {
        let (number, rest) = line.trim().split_once(". ")?;
        number.parse::<usize>().ok()?;
        Some(identifier(rest.trim_start()))
    });
    let names: Vec<_> = names.collect();
    let wrong = format!("ARCHITECTURE.md: the layers of {package} are {}", order.join(", "));
    (names != order).then_some(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    const PACKAGE: &str = "a/src";
    const ORDER: [&str; 2] = ["low", "high"];

    #[test]
    fn a_module_that_uses_one_above_it_is_found() {
        // The bad file names it in every way that there is; the good one where only tests, comments and
        // words that merely end so name it, and itself.
        let root =
            ("a/src/lib.rs", "mod high;\nmod low;\npub use high::{Roof as Top, sub::Tile};\n");
        let good = "// crate::high\nuse crate::low::X;\nuse mycrate::high;\n#[cfg(test)]\nuse crate::high;\n";
        let high = ("a/src/high/mod.rs", "use crate::low;\n");
        let fine =
            tree(&[root, high, ("a/src/low.rs", good), ("a/src/low/tests.rs", "crate::high")]);
        assert_eq!(ordered(&fine, PACKAGE, &ORDER), Vec::<String>::new());
        let bad = "use crate::{low::X, high::Y};\ncrate::high::z();\nuse super::high;\nuse crate::Top;\nuse crate::Tile;\n";
        let deep = "use super::super::high;\nuse super::high_in_low;\n";
        let wrong = tree(&[root, high, ("a/src/low.rs", bad), ("a/src/low/deep.rs", deep)]);
        let expected = [
            "a/src/low.rs:1: low is below high",
            "a/src/low.rs:2: low is below high",
            "a/src/low.rs:4: low is below high",
            "a/src/low.rs:5: low is below high",
            "a/src/low.rs:3: low is below high",
            "a/src/low/deep.rs:1: low is below high",
        ];
        assert_eq!(ordered(&wrong, PACKAGE, &ORDER), expected);
    }

    #[test]
    fn a_module_without_a_place_and_a_place_without_a_module_are_found() {
        let wrong = tree(&[("a/src/lib.rs", ""), ("a/src/low.rs", ""), ("a/src/new.rs", "")]);
        let expected = [
            "a/src/new: has no place in the order",
            "a/src/high: is in the order, and is not there",
        ];
        assert_eq!(ordered(&wrong, PACKAGE, &ORDER), expected);
    }

    #[test]
    fn layers_that_are_drawn_otherwise_are_found() {
        // In the bad document two layers are exchanged.
        let document = |first: &str, second: &str| {
            format!(
                "# A\n## Layers\ntext\n\n    a/src\n      1. {first}/  what it is\n      2. {second}\n\n## B\n"
            )
        };
        let (good, bad) = (document("low", "high"), document("high", "low"));
        assert_eq!(drawn(&tree(&[("ARCHITECTURE.md", &good)]), PACKAGE, &ORDER), None);
        let expected = "ARCHITECTURE.md: the layers of a/src are low, high".to_owned();
        let wrong = drawn(&tree(&[("ARCHITECTURE.md", &bad)]), PACKAGE, &ORDER);
        assert_eq!(wrong, Some(expected.clone()));
        assert_eq!(drawn(&tree(&[]), PACKAGE, &ORDER), Some(expected));
    }
}
