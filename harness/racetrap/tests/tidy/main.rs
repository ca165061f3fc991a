//! The law of this repository, as far as a text can be asked whether it obeys.
//!
//! Each law is a function from a tree of texts to what is wrong with it. It is asked about this repository,
//! and about a tree made for the purpose, which shows that it can find what it looks for. Lints that the
//! compiler and clippy know are in `Cargo.toml` and `clippy.toml` instead.
//!
//! Words that a law forbids are written in two pieces here, since these files are part of the tree.
//!
//! - here: files, functions, names, scripts, findings, snapshots, documents, arrows between packages;
//! - `citations`: what cites the contract; `fields`: fields of mirrors; `layers`: the order of modules within a package;
//! - `oracles`: what verdicts may depend on; `platform`: Linux and processes; `sleep`: pauses;
//! - `source`: Rust files as these laws read them.

mod citations;
mod fields;
mod layers;
mod oracles;
mod platform;
mod sleep;
mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Texts by their path from the root, with `/` between the parts.
type Tree = BTreeMap<String, String>;
/// What is wrong, one sentence each, beginning with the path.
type Law = fn(&Tree) -> Vec<String>;

// ---- laws ----

fn files_are_short(tree: &Tree) -> Vec<String> {
    let generated = |path: &str| path.ends_with("Cargo.lock") || path.ends_with(".snap");
    tree.iter()
        .filter(|(path, _)| !generated(path))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"))
        .collect()
}

/// Relies on rustfmt: a function ends at the first line that is a brace at the indentation of its `fn`. A
/// raw text with such a line makes a function look shorter than it is, never longer.
fn functions_are_short(tree: &Tree) -> Vec<String> {
    let mut long = Vec::new();
    for (path, text) in rust(tree) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let indentation = line.len() - line.trim_start().len();
            let Some(name) = function_name(line) else { continue };
            let end = format!("{}}}", " ".repeat(indentation));
            let one_line = line.ends_with(['}', ';']);
            let length = lines[at..].iter().position(|line| **line == end);
            let Some(length) = length.filter(|_| !one_line) else { continue };
            if length + 1 > FUNCTION_LINES_MAX {
                let lines = length + 1;
                long.push(format!(
                    "{path}: {name} has {lines} lines, at most {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    long
}

fn function_name(line: &str) -> Option<&str> {
    const BEFORE: [&str; 7] = ["pub", "async", "const", "unsafe", "extern", "default", "\"C\""];
    let (before, after) = split_at_fn(line.trim_start())?;
    let plain = |word: &str| BEFORE.contains(&word) || word.starts_with("pub(");
    let end = after.find(|letter: char| !is_word(letter)).unwrap_or(after.len());
    (before.split_whitespace().all(plain) && end > 0).then(|| &after[..end])
}

/// Parts a line at its first `fn` that is a word.
fn split_at_fn(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("fn ").map(|after| ("", after)).or_else(|| line.split_once(" fn "))
}

fn modules_are_named_after_what_they_hold(tree: &Tree) -> Vec<String> {
    const DRAWERS: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];
    let is_drawer = |part: &str| DRAWERS.contains(&part.split('.').next().unwrap_or(part));
    let by_path = tree.keys().filter(|path| path.split('/').any(is_drawer));
    let mut drawers: Vec<_> = by_path.map(|path| format!("{path}: a drawer")).collect();
    for (path, number, line) in rust_lines(tree) {
        let words: Vec<&str> = line.split(|letter| !is_word(letter)).collect();
        if words.windows(2).any(|pair| pair[0] == "mod" && DRAWERS.contains(&pair[1])) {
            drawers.push(format!("{path}:{number}: a drawer"));
        }
    }
    drawers
}

fn nothing_is_left_for_later(tree: &Tree) -> Vec<String> {
    const MARKS: [&str; 6] = [
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ign", "ore"),
        concat!("```ign", "ore"),
    ];
    let code = |path: &str| !path.ends_with(".md") && !path.ends_with(".snap");
    found(tree, code, |line| MARKS.into_iter().find(|mark| line.contains(mark)))
}

fn every_script_is_used(tree: &Tree) -> Vec<String> {
    let used = |script: &str| {
        let name = script.to_owned();
        tree.iter().any(|(path, text)| path != script && text.contains(&name))
    };
    let scripts = tree.keys().filter(|path| path.starts_with("scripts/"));
    scripts.filter(|path| !used(path)).map(|path| format!("{path}: nothing mentions it")).collect()
}

/// A finding is its catalogue entry, the snapshot of what it leaves, and the defect that shows it.
fn every_finding_is_whole(tree: &Tree) -> Vec<String> {
    let mut holes = Vec::new();
    for id in catalogue(tree) {
        let path = format!("scenarios/catalogue/{id}.yaml");
        if !snapshots(tree).any(|snapshot| belongs_to(snapshot, id)) {
            holes.push(format!("{path}: no snapshots/{id}*.snap"));
        }
        let defect = tree[&path].lines().find_map(|line| line.trim().strip_prefix("defect: "));
        let Some(defect) = defect else {
            holes.push(format!("{path}: no defect"));
            continue;
        };
        let quoted = format!("\"{}\"", defect.trim_matches('"'));
        let known = tree
            .iter()
            .any(|(path, text)| path.starts_with("fixtures/daemon/src/") && text.contains(&quoted));
        if !known {
            holes.push(format!("{path}: the reference daemon has no defect {defect}"));
        }
    }
    holes
}

/// A snapshot of the catalogue belongs to an entry; any other names the file that makes it.
fn no_snapshot_is_an_orphan(tree: &Tree) -> Vec<String> {
    let mut orphans: Vec<_> = snapshots(tree)
        .filter(|snapshot| !catalogue(tree).any(|id| belongs_to(snapshot, id)))
        .map(|snapshot| format!("snapshots/{snapshot}.snap: no catalogue entry"))
        .collect();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".snap")) {
        let source = text.lines().find_map(|line| line.strip_prefix("source: "));
        if !source.is_some_and(|source| tree.contains_key(source)) {
            orphans.push(format!("{path}: no source, or one that is gone"));
        }
    }
    let stray = |path: &&String| path.starts_with("snapshots/") && !path.ends_with(".snap");
    orphans.extend(tree.keys().filter(stray).map(|path| format!("{path}: not a snapshot")));
    orphans
}

fn every_document_has_one_title(tree: &Tree) -> Vec<String> {
    let mut bad = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".md")) {
        let mut fenced = false;
        let titles = text.lines().filter(|line| {
            fenced ^= line.trim_start().starts_with("```");
            !fenced && line.starts_with("# ")
        });
        let titles = titles.count();
        if titles != 1 || !text.starts_with("# ") {
            bad.push(format!("{path}: {titles} titles, and one must be the first line"));
        }
    }
    bad
}

/// A path of somebody's machine works nowhere else. A guest's home is not of any machine.
fn no_path_of_a_machine(tree: &Tree) -> Vec<String> {
    const PLACES: [&str; 5] = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!(":\\Us", "ers"),
    ];
    const GUEST: &str = concat!("/ho", "me/lima.guest");
    let everything = |_: &str| true;
    found(tree, everything, |line| {
        let line = line.replace(GUEST, "");
        PLACES.into_iter().find(|place| {
            // Inside a longer path or an address the same letters are no root.
            line.match_indices(place).any(|(at, _)| {
                !line[..at].ends_with(|letter: char| is_word(letter) || ".-}~$".contains(letter))
            })
        })
    })
}

// ---- arrows between packages ----

/// A package and those that it may depend on; who is not listed may depend on none of ours.
const ARROWS: [(&str, &[&str]); 4] = [
    ("racetrap-scenarios", &["racetrap", "racetrap-history"]),
    (
        "racetrap",
        &["racetrap-history", "racetrap-search", "racetrap-wire", "racetrap-images", "racetrap-vm"],
    ),
    ("racetrap-search", &["racetrap-history"]),
    // Its tests load the tiny images; the daemon itself knows nothing of them.
    ("rdd-reference", &["racetrap-images"]),
];
/// What the package without processes, sockets and clocks cannot have a use for.
const IMPURE: [&str; 8] =
    ["tokio", "futures", "hyper", "bollard", "rustix", "libc", "procfs", "tempfile"];

/// `packages` are names with the names of their dependencies of every kind.
fn arrows_are_drawn(packages: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (package, dependencies) in packages {
        let listed = ARROWS.iter().find(|(name, _)| name == package);
        let allowed = listed.map_or(&[][..], |(_, allowed)| allowed);
        for dependency in dependencies {
            let ours = packages.contains_key(dependency);
            let impure = package == "racetrap-history" && IMPURE.contains(&dependency.as_str());
            if impure || ours && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{package} must not depend on {dependency}"));
            }
        }
    }
    wrong
}

fn packages_of(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let name = |value: &Value| value["name"].as_str().expect("cargo names everything").to_owned();
    let list = |value: &Value| value.as_array().expect("cargo gives lists").clone();
    let packages = list(&metadata["packages"]);
    packages
        .iter()
        .map(|package| (name(package), list(&package["dependencies"]).iter().map(name).collect()))
        .collect()
}

// ---- reading ----

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_script(path: &str) -> bool {
    path.starts_with("scripts/") || path.starts_with(".ci/") || path.ends_with(".sh")
}

fn rust(tree: &Tree) -> impl Iterator<Item = (&String, &String)> {
    tree.iter().filter(|(path, _)| path.ends_with(".rs"))
}

fn rust_lines(tree: &Tree) -> impl Iterator<Item = (&String, usize, &str)> {
    rust(tree).flat_map(|(path, text)| {
        let code = text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//"));
        code.map(move |(at, line)| (path, at + 1, line))
    })
}

/// Lines of the files that `which` takes in which `wrong` finds something.
fn found<'a>(
    tree: &Tree,
    which: impl Fn(&str) -> bool,
    wrong: impl Fn(&str) -> Option<&'a str>,
) -> Vec<String> {
    let mut all = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| which(path)) {
        let lines = text.lines().enumerate();
        let hits = lines.filter_map(|(at, line)| Some((at + 1, wrong(line)?)));
        all.extend(hits.map(|(number, what)| format!("{path}:{number}: {what}")));
    }
    all
}

fn catalogue(tree: &Tree) -> impl Iterator<Item = &str> {
    let entry = |path: &'_ str| path.starts_with("scenarios/catalogue/") && path.ends_with(".yaml");
    let entries = tree.keys().filter(move |path| entry(path));
    entries.map(|path| &path["scenarios/catalogue/".len()..path.len() - ".yaml".len()])
}

/// The names of the catalogue's snapshots.
fn snapshots(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.keys().filter_map(|path| path.strip_prefix("snapshots/")?.strip_suffix(".snap"))
}

/// Whether a snapshot is of this finding, and not of one whose id begins like it.
fn belongs_to(snapshot: &str, id: &str) -> bool {
    snapshot.strip_prefix(id).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every text that is tracked, or would be if it were added.
fn this_repository() -> Tree {
    // The owner of a checkout may be another user than root, who runs the tests that need an engine.
    #[expect(clippy::disallowed_methods, reason = "a test asks git, which answers at once")]
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"])
        .arg("--exclude-standard")
        .current_dir(root())
        .output()
        .expect("git is on the path");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("our paths are UTF-8");
    let names = names.split('\0').filter(|name| !name.is_empty());
    // What is deleted but not committed, and what is no text, has no lines to look at.
    let texts = names.filter_map(|name| {
        Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?))
    });
    texts.collect()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
}

// ---- this repository ----

#[rstest]
#[case::files_are_short(files_are_short)]
#[case::functions_are_short(functions_are_short)]
#[case::modules_are_named_after_what_they_hold(modules_are_named_after_what_they_hold)]
#[case::nothing_is_left_for_later(nothing_is_left_for_later)]
#[case::only_the_clock_sleeps(sleep::only_the_clock_sleeps)]
#[case::only_the_clock_ticks(sleep::only_the_clock_ticks)]
#[case::every_script_is_used(every_script_is_used)]
#[case::every_finding_is_whole(every_finding_is_whole)]
#[case::no_snapshot_is_an_orphan(no_snapshot_is_an_orphan)]
#[case::every_document_has_one_title(every_document_has_one_title)]
#[case::no_path_of_a_machine(no_path_of_a_machine)]
#[case::every_citation_of_the_contract_exists(citations::every_citation_of_the_contract_exists)]
#[case::every_named_promise_exists(citations::every_named_promise_exists)]
#[case::every_field_of_a_mirror_is_in_the_table(fields::every_field_of_a_mirror_is_in_the_table)]
#[case::modules_use_those_below_them(layers::modules_use_those_below_them)]
#[case::the_architecture_draws_the_layers(layers::the_architecture_draws_the_layers)]
#[case::oracles_do_not_read_text_for_people(oracles::oracles_do_not_read_text_for_people)]
#[case::only_sys_knows_linux(platform::only_sys_knows_linux)]
#[case::only_their_owners_start_processes(platform::only_their_owners_start_processes)]
fn this_repository_obeys(#[case] law: Law) {
    // The law is asked about the files that are really here; a tree without this file would mean that
    // nothing was read.
    let tree = this_repository();
    assert!(tree.contains_key("harness/racetrap/tests/tidy/main.rs"), "the tree was not read");
    let wrong = law(&tree);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn packages_of_this_repository_depend_on_what_the_design_allows() {
    // Cargo itself says who depends on whom; the count guards against an answer that names nobody.
    #[expect(clippy::disallowed_methods, reason = "a test asks cargo, which answers at once")]
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs its own tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = packages_of(&metadata);
    assert!(packages.contains_key("racetrap") && packages["racetrap"].len() > 3, "{packages:?}");
    let wrong = arrows_are_drawn(&packages);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// ---- each law finds what it looks for ----

/// A law, a good tree, and a bad one with what is wrong with it.
#[track_caller]
fn check(law: Law, good: &[(&str, &str)], bad: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(law(&tree(good)), Vec::<String>::new(), "the good tree");
    assert_eq!(law(&tree(bad)), expected, "the bad tree");
}

/// A function of that many lines, the first and the last one included.
fn function_of(lines: usize) -> String {
    format!(
        "impl A {{\n    pub(crate) async fn long() {{\n{}    }}\n}}\n",
        "        x();\n".repeat(lines - 2)
    )
}

#[test]
fn a_long_file_is_found() {
    // One line makes the difference; what a program wrote may be long.
    let (good, bad) = ("x\n".repeat(600), "x\n".repeat(601));
    check(
        files_are_short,
        &[("a.rs", &good), ("Cargo.lock", &bad)],
        &[("a.rs", &bad)],
        &["a.rs: 601 lines, at most 600"],
    );
}

#[test]
fn a_long_function_is_found() {
    // One line makes the difference; a word that ends like the keyword, and a trait's mere signature before
    // a long block, are no functions of that length.
    let (good, bad) = (function_of(70), function_of(71));
    let signature = format!("trait T {{\n    fn a();\n{}    }}\n", "    \n".repeat(80));
    check(
        functions_are_short,
        &[("a.rs", &good), ("b.rs", &signature), ("c.rs", "let often = 1;\n"), ("d.md", &bad)],
        &[("a.rs", &bad)],
        &["a.rs: long has 71 lines, at most 70"],
    );
}

#[test]
fn a_drawer_is_found_by_its_file_and_by_its_declaration() {
    // A name that merely contains the word is no drawer, nor is the word in a comment.
    check(
        modules_are_named_after_what_they_hold,
        &[("src/commons.rs", concat!("// mod ut", "il;\nmod utilisation;\n"))],
        &[
            ("src/helpers/a.rs", ""),
            ("src/lib.rs", concat!("pub(crate) mod ut", "il {\n")),
            ("src/misc.rs", ""),
        ],
        &["src/helpers/a.rs: a drawer", "src/misc.rs: a drawer", "src/lib.rs:1: a drawer"],
    );
}

#[test]
fn what_is_left_for_later_is_found() {
    // The last mark stands in a documentation comment, where it hides an example from the compiler.
    let bad = concat!("x\n// FIX", "ME: y\n#[ign", "ore]\nto", "do!()\n/// ```ign", "ore\n");
    let expected = [2, 3, 4, 5].map(|line| format!("a.rs:{line}: "));
    let wrong = nothing_is_left_for_later(&tree(&[("a.rs", bad), ("b.md", bad)]));
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    assert!(
        wrong.iter().zip(expected).all(|(wrong, start)| wrong.starts_with(&start)),
        "{wrong:?}"
    );
}

#[test]
fn an_unused_script_is_found() {
    // That a script names itself is no use.
    check(
        every_script_is_used,
        &[("scripts/a", ""), ("README.md", "`scripts/a`")],
        &[("scripts/a", "# usage: scripts/a")],
        &["scripts/a: nothing mentions it"],
    );
}

#[test]
fn a_finding_without_snapshot_or_defect_is_found() {
    // The bad tree has both, of a finding whose id begins with the same letters.
    let entry = ("scenarios/catalogue/1-I1.yaml", "about:\n  defect: 1-I1\n");
    check(
        every_finding_is_whole,
        &[entry, ("snapshots/1-I1-own.snap", ""), ("fixtures/daemon/src/d.rs", "\"1-I1\"")],
        &[entry, ("snapshots/1-I1b.snap", ""), ("fixtures/daemon/src/d.rs", "\"1-I1b\"")],
        &[
            "scenarios/catalogue/1-I1.yaml: no snapshots/1-I1*.snap",
            "scenarios/catalogue/1-I1.yaml: the reference daemon has no defect 1-I1",
        ],
    );
    let without = tree(&[("scenarios/catalogue/2.yaml", ""), ("snapshots/2.snap", "")]);
    assert_eq!(every_finding_is_whole(&without), ["scenarios/catalogue/2.yaml: no defect"]);
}

#[test]
fn an_orphaned_snapshot_is_found() {
    // One has no entry, one no source that exists, and one file is no snapshot at all.
    let made = "---\nsource: a.rs\n---\n";
    check(
        no_snapshot_is_an_orphan,
        &[("a.rs", ""), ("scenarios/catalogue/1.yaml", ""), ("snapshots/1.snap", made)],
        &[
            ("a.rs", ""),
            ("snapshots/1.snap", made),
            ("b.snap", "source: b.rs\n"),
            ("snapshots/c", ""),
        ],
        &[
            "snapshots/1.snap: no catalogue entry",
            "b.snap: no source, or one that is gone",
            "snapshots/c: not a snapshot",
        ],
    );
}

#[test]
fn a_document_without_its_one_title_is_found() {
    // A comment in a fenced block looks like a title and is none.
    check(
        every_document_has_one_title,
        &[("a.md", "# A\n```sh\n# no title\n```\n## B\n")],
        &[("a.md", "# A\n# B\n"), ("b.md", "text\n# A\n"), ("c.md", "")],
        &[
            "a.md: 2 titles, and one must be the first line",
            "b.md: 1 titles, and one must be the first line",
            "c.md: 0 titles, and one must be the first line",
        ],
    );
}

#[test]
fn a_path_of_a_machine_is_found() {
    // A guest's home, a path below a variable and an address hold the same letters.
    let good = concat!("/ho", "me/lima.guest $HOME/ho", "me/a https://x.org/wo", "rk/a\n");
    let bad = concat!("cd \"/ho", "me/ann/a\"\n");
    let expected = [concat!("a.yaml:1: /ho", "me/")];
    check(no_path_of_a_machine, &[("a.md", good)], &[("a.yaml", bad)], &expected);
}

#[test]
fn a_forbidden_arrow_is_found() {
    // The allowed arrow stands beside its reverse, one that skips a layer, and an impure library.
    let packages = [
        ("racetrap", vec!["racetrap-wire", "tokio"]),
        ("racetrap-wire", vec!["racetrap", "tokio"]),
        ("racetrap-history", vec!["tokio", "serde"]),
        ("racetrap-scenarios", vec!["racetrap-wire"]),
    ];
    let packages =
        packages.map(|(name, of)| (name.into(), of.into_iter().map(Into::into).collect()));
    let expected = [
        "racetrap-history must not depend on tokio",
        "racetrap-scenarios must not depend on racetrap-wire",
        "racetrap-wire must not depend on racetrap",
    ];
    assert_eq!(arrows_are_drawn(&packages.into()), expected);
}
