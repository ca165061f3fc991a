//! Compares the tables of `docs/bundle.md` with a bundle.

use crate::checked::Bundle;
use crate::deaths::run_until_held;
use crate::place::{Place, output_without_canaries};

const DOCUMENT: &str = include_str!("../../../../docs/bundle.md");

/// The paths in the tables of the section on contents: those that must be there, and those in
/// parentheses.
fn paths() -> (Vec<&'static str>, Vec<&'static str>) {
    let (_, section) = DOCUMENT.split_once("## What is in it").expect("the section");
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for (index, part) in cell.split('`').enumerate().filter(|(index, _)| index % 2 == 1) {
            let before = cell.split('`').nth(index - 1).unwrap();
            if before.ends_with('(') { elsewhere.push(part) } else { here.push(part) }
        }
    }
    (here, elsewhere)
}

// The run has VM mode `api` and a running container, so its bundle must have every path of the
// tables that is not in parentheses. A path in parentheses must not be there.
#[test]
fn every_path_of_the_table_is_in_a_bundle() {
    let place = Place::new();
    let child = run_until_held(&place, &["--deadline", "1"]);
    output_without_canaries(child);
    let bundle = Bundle::load(&place);
    let (here, elsewhere) = paths();
    assert!(here.len() > 25 && elsewhere.len() > 2, "{here:?} {elsewhere:?}");
    let fits = |path: &str| {
        let glob = globset::Glob::new(path).unwrap().compile_matcher();
        path == "manifest.json" || bundle.files.keys().any(|file| glob.is_match(file))
    };
    let absent: Vec<_> = here.into_iter().filter(|path| !fits(path)).collect();
    assert_eq!(absent, Vec::<&str>::new(), "{:#?}", bundle.files.keys());
    let present: Vec<_> = elsewhere.into_iter().filter(|path| fits(path)).collect();
    assert_eq!(present, Vec::<&str>::new());
}
