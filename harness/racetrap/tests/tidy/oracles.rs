//! Oracles decide by facts. A text that the harness wrote for people may be shown in a violation, and
//! nothing may depend on its words: whoever rewords it would change a verdict.

use regex::Regex;

use super::Tree;
use super::source::{braced, identifier, is_test, line_at, listed, production};

/// Variants of records and the fields in them that hold text for people.
const FOR_PEOPLE: [(&str, &[&str]); 10] = [
    ("StepFailed", &["why"]),
    ("StepBegan", &["text"]),
    ("Note", &["text"]),
    ("Leak", &["text"]),
    ("WatchLost", &["reason"]),
    ("UpstreamLost", &["reason"]),
    ("Malformed", &["reason"]),
    // Of clients of logs.
    ("Answered", &["text"]),
    ("Unanswered", &["reason"]),
    ("Ended", &["reason"]),
];

/// Names that are text for people wherever a text's methods are called on them. `reason` is not among
/// them: a condition has one too, and that one is the daemon's word for programs.
const WORDS: [&str; 3] = ["why", "outcome", "fault"];

/// How a text is examined.
const EXAMINED: &str = r"contains|starts_with|ends_with|strip_prefix|strip_suffix|split\w*|find|rfind|matches|parse|as_str|eq|lines|chars|bytes|to_lowercase";

fn judges(path: &str) -> bool {
    let Some(file) = path.strip_prefix("harness/history/src/") else { return false };
    let first = file.split(['/', '.']).next().unwrap_or(file);
    path.ends_with(".rs")
        && !is_test(path)
        && ["oracle", "view", "verdict", "judge"].contains(&first)
}

pub(super) fn oracles_do_not_read_text_for_people(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| judges(path)) {
        let code = production(text);
        let words = WORDS.iter().flat_map(|word| found(&code, 0, word, &method(word)));
        let mut places: Vec<_> = words.collect();
        for (from, name) in bound(&code) {
            let scope = &code[from..];
            let ends =
                ["What::", "\nfn ", "\n    fn "].into_iter().filter_map(|end| scope.find(end));
            let scope = &scope[..ends.min().unwrap_or(scope.len())];
            places.extend(examined(scope, line_at(&code, from) - 1, &name));
        }
        places.sort_unstable();
        places.dedup();
        let places = places.into_iter();
        wrong
            .extend(places.map(|(line, name)| format!("{path}:{line}: {name} is text for people")));
    }
    wrong
}

/// The names by which patterns bind text for people, and where each pattern ends. A name counts up to the
/// next pattern or function: the daemon's own log is also a `text`, and may be examined.
fn bound(code: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (variant, fields) in FOR_PEOPLE {
        for (at, _) in code.match_indices(variant) {
            let rest = &code[at + variant.len()..];
            let space = rest.len() - rest.trim_start().len();
            let Some(pattern) = braced(rest.trim_start()) else { continue };
            let end = at + variant.len() + space + pattern.len() + 2;
            for part in listed(pattern) {
                let field = identifier(part);
                let renamed = part[field.len()..].trim_start().strip_prefix(':');
                let name = renamed.map_or(field, |name| identifier(name.trim_start()));
                if fields.contains(&field) && !name.is_empty() {
                    names.push((end, name.to_owned()));
                }
            }
        }
    }
    names
}

/// Where a name is examined: a method of texts, a comparison with a text, or a match on it. `before` is the
/// number of lines before the text.
fn examined(code: &str, before: usize, name: &str) -> Vec<(usize, String)> {
    let compared = format!(r#"\b{name}(?:\.as_str\(\))?\s*[!=]=\s*\*?""#);
    let matched = format!(r"\bmatch \*?&?{name}\b|\bmatches!\(\*?&?{name}\b");
    found(code, before, name, &format!("{}|{compared}|{matched}", method(name)))
}

/// The pattern of a text's method that is called on a name.
fn method(name: &str) -> String {
    format!(r"\b{name}\s*\.\s*(?:{EXAMINED})\(")
}

fn found(code: &str, before: usize, name: &str, pattern: &str) -> Vec<(usize, String)> {
    let pattern = Regex::new(pattern).expect("names are words");
    let found = pattern.find_iter(code);
    found.map(|found| (before + line_at(code, found.start()), name.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn a_verdict_that_depends_on_words_is_found() {
        // The good file shows the texts, and examines the daemon's own log and a command's output.
        let good = "\
What::StepFailed { index, why, .. } => violated(format!(\"{why}\")),
What::Leak { text, .. } => violated(text),
What::Log { text, .. } if text.contains(\"panic\") => {}
if stderr.contains(\"x\") || reason == Some(\"Connected\") {}
";
        let bad = "\
What::StepFailed { why, .. } if why.contains(\"late\") => match why.as_str() {},
What::WatchLost { reason: lost, .. } => lost.starts_with(\"gone\"),
if review.outcome.strip_prefix(\"held at \").is_some() {}
What::Leak { text, .. } if text == \"a\" => {}
What::StepBegan { text, .. } if STOPS.contains(&text.as_str()) => {}
";
        check(
            oracles_do_not_read_text_for_people,
            &[("harness/history/src/oracle/a.rs", good), ("harness/history/src/timeline.rs", bad)],
            &[("harness/history/src/verdict.rs", bad)],
            &[
                "harness/history/src/verdict.rs:1: why is text for people",
                "harness/history/src/verdict.rs:2: lost is text for people",
                "harness/history/src/verdict.rs:3: outcome is text for people",
                "harness/history/src/verdict.rs:4: text is text for people",
                "harness/history/src/verdict.rs:5: text is text for people",
            ],
        );
    }
}
