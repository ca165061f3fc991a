//! Workflow commands: GitHub turns these lines of a step's output into annotations.

use crate::report::case::Case;
use crate::report::known::nothing_shown;

/// How many annotations of one kind GitHub shows per step, minus one for the line that counts the
/// rest.
const SHOWN: usize = 9;

/// The maximal length of an annotation's message in bytes, before escaping; GitHub shows it in a
/// narrow box.
const MESSAGE_BYTES_MAX: usize = 3000;

/// One line for each of the first runs that are not right, and one line that counts the others.
pub(crate) fn annotations(cases: &[Case]) -> String {
    let bad: Vec<_> = cases.iter().filter(|case| case.state.is_bad()).collect();
    let shown = bad.iter().take(SHOWN).map(|case| annotation(case));
    let mut text: String = shown.collect();
    if let Some(nothing) = nothing_shown(cases) {
        text.push_str(&command_of("warning", "racetrap", &nothing));
    }
    // GitHub limits notices and errors separately.
    let repaired = cases.iter().filter(|case| case.repaired).take(SHOWN);
    text.extend(repaired.map(|case| {
        let title = format!("{} {}: {}", case.finding, case.name, case.word);
        command_of("notice", &title, &case.reasons.join("\n"))
    }));
    let left = bad.len().saturating_sub(SHOWN);
    if left > 0 {
        let plural = if left == 1 { "run is" } else { "runs are" };
        text.push_str(&command(
            "racetrap",
            &format!("{left} more {plural} not right; the summary of the job tells of all"),
        ));
    }
    text
}

fn annotation(case: &Case) -> String {
    let mut lines = case.reasons.join("\n");
    truncate(&mut lines, MESSAGE_BYTES_MAX);
    let evidence = case.evidence_name().map(|name| format!("\nevidence: {name}"));
    let message = format!("{lines}{}\nagain: {}", evidence.unwrap_or_default(), case.again);
    let title = format!("{} {}: {}", case.finding, case.name, case.word);
    command(&title, message.trim_start())
}

fn command(title: &str, message: &str) -> String {
    command_of("error", title, message)
}

/// A workflow command of this kind: `error`, `warning` or `notice`.
fn command_of(kind: &str, title: &str, message: &str) -> String {
    let message = if message.is_empty() { title } else { message };
    format!("::{kind} title={}::{}\n", property(title), data(message))
}

/// Escapes a message so that it stays in one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property so that neither the next property nor the message can begin
/// inside it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Cuts a text between two characters, and appends how much is missing.
pub(super) fn truncate(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let left = text.len();
        text.truncate(text.floor_char_boundary(bytes_max));
        let left = left - text.len();
        text.push_str(&format!("\n({left} more bytes)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Undoes the escaping as GitHub's runner does: the result must be the original text, and no
    /// character of the text may end the part of the command that contains it.
    #[test]
    fn what_would_end_a_part_of_a_command_is_escaped() {
        let text = "50%: a, b\r\n::error::x %0A";
        assert_eq!(data(text), "50%25: a, b%0D%0A::error::x %250A");
        assert_eq!(property(text), "50%25%3A a%2C b%0D%0A%3A%3Aerror%3A%3Ax %250A");
        let line = command(text, text);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let parts = line.trim_end().strip_prefix("::error title=").and_then(|l| l.split_once("::"));
        let (title, message) = parts.expect("a command has a title and a message");
        let undone = |text: &str| {
            let text = text.replace("%3A", ":").replace("%2C", ",");
            text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
        };
        assert_eq!((undone(title).as_str(), undone(message).as_str()), (text, text));
    }

    /// The limit lies inside a character of three bytes, which is removed completely.
    #[test]
    fn a_text_is_cut_at_a_character() {
        let mut text = "ab\u{2713}cd".to_owned();
        truncate(&mut text, 4);
        assert_eq!(text, "ab\n(5 more bytes)");
        let mut short = "ab".to_owned();
        truncate(&mut short, 2);
        assert_eq!(short, "ab");
    }
}
