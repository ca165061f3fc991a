//! Rust files as the laws read them: without comments, and without what only tests compile.

use super::is_word;

/// A file that only tests compile.
pub(super) fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
}

/// The text with its comments and its `#[cfg(test)]` items replaced by empty lines, so that the numbers of
/// the lines stay. Relies on rustfmt: an item ends at a closing brace in the column of its attribute.
pub(super) fn production(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut skipping: Option<Skip> = None;
    for line in text.lines() {
        let indentation = line.len() - line.trim_start().len();
        let code = line.trim();
        if skipping.is_none() && code == "#[cfg(test)]" {
            skipping = Some(Skip { indentation, opened: false });
        } else if let Some(skip) = &mut skipping {
            if skip.ends(indentation, code) {
                skipping = None;
            }
        } else if !code.starts_with("//") {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

/// An item that is left out.
struct Skip {
    indentation: usize,
    /// Its block has begun.
    opened: bool,
}

impl Skip {
    /// This line is the item's last one.
    fn ends(&mut self, indentation: usize, code: &str) -> bool {
        if self.opened {
            return indentation == self.indentation && code.starts_with('}');
        }
        self.opened = code.ends_with('{');
        !self.opened && (code.ends_with(';') || code.ends_with('}'))
    }
}

/// The numbers of lines, from 1, with the parts of the text that follow each occurrence of `word`, which
/// must not be the end of a longer word.
pub(super) fn after<'a>(text: &'a str, word: &str) -> Vec<(usize, &'a str)> {
    let starts = |at: &usize| !text[..*at].ends_with(is_word);
    let places = text.match_indices(word).map(|(at, _)| at).filter(starts);
    places.map(|at| (line_at(text, at), &text[at + word.len()..])).collect()
}

/// The number of the line, from 1, that has this byte.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The identifier that a text begins with; empty if it does not begin with one.
pub(super) fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !is_word(letter)).unwrap_or(text.len());
    &text[..end]
}

/// What is between the brace that a text begins with and the one that closes it.
pub(super) fn braced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let mut depth = 1;
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&inner[..at]);
        }
    }
    None
}

/// The parts of a list at its commas, but for those within inner braces.
pub(super) fn listed(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|letter| {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[test]
fn tests_and_comments_are_left_out_and_lines_keep_their_numbers() {
    // An item with a block, one without, a function within an impl, and what stands behind each.
    let text = "\
// a
use b;
#[cfg(test)]
use c;
impl D {
    #[cfg(test)]
    fn e() {
        f();
    }
    fn g() {}
}
#[cfg(test)]
mod tests {
    h();
}
i();
";
    let expected = "\nuse b;\n\n\nimpl D {\n\n\n\n\n    fn g() {}\n}\n\n\n\n\ni();\n";
    assert_eq!(production(text), expected);
    assert!(is_test("a/src/tests.rs") && is_test("a/src/tests/b.rs") && is_test("a/b_tests.rs"));
    assert!(!is_test("a/src/contests.rs"));
}

#[test]
fn groups_are_parted_at_their_own_commas() {
    let group = braced("{a, b::{c, d}, e} and more").unwrap();
    assert_eq!(listed(group), ["a", "b::{c, d}", "e"]);
    assert_eq!(
        after("crate::a\nmycrate::b crate::c", "crate::"),
        [(1, "a\nmycrate::b crate::c"), (2, "c")]
    );
}
