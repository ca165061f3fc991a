//! Code, scenarios and documents cite the contract by numbers of docs/contract.md.

use racetrap::contract::Contract;
use regex::Regex;

use super::Tree;
use super::source::line_at;

/// Where the documents of the contract are.
const CONTRACT: &str = "docs/contract";

/// Where each oracle names its promises.
const ORACLES: &str = "harness/history/src/oracle/promises.rs";

/// A citation is the word and a number behind it, with further numbers of the same list.
pub(super) fn every_citation_of_the_contract_exists(tree: &Tree) -> Vec<String> {
    let contract = match contract(tree) {
        Ok(contract) => contract,
        Err(error) => return vec![error],
    };
    let citation = Regex::new(concat!(r"(?i)\bcontr", r"act\s+\(?(\d+(?:\.\d+)*)")).expect("valid");
    // What continues the list, within the same parenthesis: `4.3, 4.5`, `3.7, rule 1; 7.6`.
    let more = Regex::new(r"(?:[,;]| and)\s+(\d+\.\d+(?:\.\d+)?)\b").expect("valid");
    let mut wrong = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !path.ends_with(".snap")) {
        // A citation may be broken between two lines of a comment.
        let text = without_comment_marks(text);
        for found in citation.captures_iter(&text) {
            let number = found.get(1).expect("the pattern has one");
            let rest = &text[number.end()..];
            let rest = &rest[..rest.find([')', '(']).unwrap_or(rest.len())];
            let rest = rest.split(". ").next().unwrap_or(rest);
            let numbers = more.captures_iter(rest).map(|more| more.extract::<1>().1[0]);
            let numbers = std::iter::once(number.as_str()).chain(numbers);
            let missing = numbers.filter(|number| !contract.cites(number));
            let line = line_at(&text, found.get(0).expect("it matched").start());
            wrong.extend(missing.map(|number| format!("{path}:{line}: there is no {number}")));
        }
    }
    wrong
}

/// Each number of a promise that a catalogue entry or an oracle names exists, and each entry names one.
pub(super) fn every_named_promise_exists(tree: &Tree) -> Vec<String> {
    let contract = match contract(tree) {
        Ok(contract) => contract,
        Err(error) => return vec![error],
    };
    let number = Regex::new(r#""(\d+\.\d+\.\d+)""#).expect("valid");
    let mut wrong = Vec::new();
    for (path, text) in tree {
        let is_entry = path.starts_with("scenarios/catalogue/") && path.ends_with(".yaml");
        let named = match is_entry {
            true => text.lines().find_map(|line| line.strip_prefix("  promises: ")),
            false if path == ORACLES => Some(text.as_str()),
            false => continue,
        };
        let mut numbers = number.captures_iter(named.unwrap_or_default()).peekable();
        if numbers.peek().is_none() {
            wrong.push(format!("{path}: names no promise"));
        }
        let missing = numbers.map(|found| found.extract::<1>().1[0]);
        let missing = missing.filter(|number| !contract.cites(number));
        wrong.extend(missing.map(|number| format!("{path}: there is no promise {number}")));
    }
    wrong
}

fn contract(tree: &Tree) -> Result<Contract, String> {
    let documents = tree.iter().filter(|(path, _)| path.starts_with(CONTRACT));
    let documents = documents.map(|(path, text)| (path.as_str(), text.as_str()));
    Contract::parse(documents).map_err(|error| error.to_string())
}

/// The text with spaces for the marks of comments at the beginning of its lines, byte for byte, so that a
/// sentence can be read across lines and a line keeps its number.
fn without_comment_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let indentation = line.len() - code.len();
        let mark = ["//!", "///", "//", "#"].into_iter().find(|mark| code.starts_with(mark));
        let mark = mark.map_or(0, str::len);
        plain.push_str(&line[..indentation]);
        plain.extend(std::iter::repeat_n(' ', mark));
        plain.push_str(&code[mark..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    const DOCUMENT: (&str, &str) =
        ("docs/contract/4-a.md", "# 4. A\n## 4.2 B\n- **4.2.1** One.\n| **4.2.2** | two |\n");

    #[test]
    fn a_citation_of_nothing_is_found() {
        // Each bad citation is one of the forms in use: alone, later in a list, broken between two lines.
        let good = concat!(
            "//! (contr",
            "act 4, 4.2 and 4.2.1; finding 295-I1), a contr",
            "act of 30 s\n"
        );
        let bad = concat!(
            "//! (Contr",
            "act 5) and (contr",
            "act 4.2, rule 1; 4.3)\n//! by contr",
            "act\n//! 4.2.3.\n"
        );
        check(
            every_citation_of_the_contract_exists,
            &[DOCUMENT, ("a.rs", good)],
            &[DOCUMENT, ("a.rs", bad)],
            &["a.rs:1: there is no 5", "a.rs:1: there is no 4.3", "a.rs:2: there is no 4.2.3"],
        );
    }

    #[test]
    fn a_finding_or_an_oracle_that_names_no_promise_is_found() {
        let entry = |text| ("scenarios/catalogue/1-A.yaml", text);
        check(
            every_named_promise_exists,
            &[DOCUMENT, entry("about:\n  promises: [\"4.2.1\"]\n"), (ORACLES, "[\"4.2.2\"]")],
            &[DOCUMENT, entry("about:\n  title: a\n"), (ORACLES, "[\"4.2.2\", \"4.2.9\"]")],
            &[
                "harness/history/src/oracle/promises.rs: there is no promise 4.2.9",
                "scenarios/catalogue/1-A.yaml: names no promise",
            ],
        );
    }
}
