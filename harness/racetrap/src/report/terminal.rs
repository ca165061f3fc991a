//! The only place that writes to standard output, and the one that writes messages to standard
//! error. So this is also the one place that escapes what a terminal would carry out: whatever a
//! schedule, a path, a daemon or a bundle says, only the colours of [`Paint`] reach the terminal as
//! commands.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, IsTerminal as _, Write};
use std::sync::LazyLock;

use clap::ValueEnum;
use terminal_size::{terminal_size, terminal_size_of};

use crate::mask::canary;

/// Width of messages where no terminal is narrower. It is fixed so that tests can compare messages.
const MESSAGE_WIDTH: usize = 100;

/// The least width of messages. A narrower terminal breaks the lines itself.
const MESSAGE_WIDTH_MIN: usize = 40;

/// The least width to which text is folded.
const FOLD_MIN: usize = 30;

/// Standard output, and whether it gets colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    paint: Paint,
}

impl Terminal {
    /// Standard output as it is now. Text is folded to the width of a terminal only, so that a file or
    /// a pipe gets one line for each thing.
    pub(crate) fn open(color: Color) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let width = if is_terminal { terminal_size() } else { None };
        let columns = width.map(|(columns, _)| usize::from(columns.0));
        Self { paint: Paint { columns, ..Paint::new(color.is_on(is_terminal)) } }
    }

    /// The painter for this output.
    pub(crate) fn paint(self) -> Paint {
        self.paint
    }

    /// Writes `text`, with everything escaped that a terminal would carry out. Ignores a reader that closed the pipe, because it has read what it wanted.
    ///
    /// # Errors
    /// If the text could not be written completely.
    ///
    /// # Panics
    /// If the text contains a planted secret, because masking has failed then.
    pub(crate) fn write(self, text: &str) -> Result<(), NotWritten> {
        let text = displayed(masked(text));
        let mut output = io::stdout().lock();
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(NotWritten { source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Whether output has colours. `Auto`: on a terminal that knows colours, unless the variable NO_COLOR is
/// set. The values have no texts of their own, because these would make every help page longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    fn is_on(self, is_terminal: bool) -> bool {
        // See no-color.org.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Auto => is_terminal && !refused && !is_dumb(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Whether the terminal can neither show colours nor move its cursor.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Width of messages on standard error, in columns: the width of the terminal, or a fixed one.
pub(crate) fn message_width() -> usize {
    let width = terminal_size_of(io::stderr()).map(|(columns, _)| usize::from(columns.0));
    width.unwrap_or(MESSAGE_WIDTH).clamp(MESSAGE_WIDTH_MIN, MESSAGE_WIDTH)
}

/// The message that replaces a text with a planted secret.
const UNMASKED: &str =
    "left out: a planted secret is in what was to be told, so masking has failed";

/// Returns `text` if it contains no secret that was planted in a world.
///
/// # Panics
/// If it contains one: masking has failed, which is a bug of the harness.
pub(crate) fn masked(text: &str) -> &str {
    assert!(!canary::is_in(text.as_bytes()), "{UNMASKED}");
    text
}

/// The report could not be written completely.
#[derive(Debug, thiserror::Error)]
#[error("the report could not be written to standard output")]
pub(crate) struct NotWritten {
    source: io::Error,
}

/// Writes a message to standard error. It is not part of any report. Ignores errors, because there
/// is no other place to report them; the exit code still holds.
pub(crate) fn tell(text: &str) {
    let text = if canary::is_in(text.as_bytes()) { UNMASKED } else { text };
    let _ = writeln!(io::stderr(), "{}", displayed(text));
}

/// The text as a terminal may get it: every character that a terminal would carry out, or by which it
/// would change the order of others, is escaped as `\u001b`, and the marks of [`Paint`] become
/// colours. JSON stays the same JSON, because it has the same escapes.
pub(crate) fn displayed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_command(letter) {
            // All of these are below U+10000, so that one escape of JSON is enough.
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out.replace(MARK.as_str(), "\u{1b}[")
}

/// Whether a terminal carries the character out instead of showing it: the control characters of C0
/// and C1 except for tabs and line feeds, and those that change the direction of text or end a line.
fn is_command(letter: char) -> bool {
    let of_direction = matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let ends_line = matches!(letter, '\u{2028}' | '\u{2029}');
    of_direction || ends_line || (letter.is_control() && letter != '\n' && letter != '\t')
}

/// Stands for the beginning of a colour until the text is written. It has a random number, because a
/// value from outside must not be able to contain it.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let random = RandomState::new().build_hasher().finish();
    format!("\u{fdd0}{random:016x}[")
});

/// Paints text, or returns it unchanged; and folds it to the width of the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
    /// Width of the terminal; `None` if the output is no terminal.
    columns: Option<usize>,
}

impl Paint {
    /// With colours, or without.
    pub(crate) fn new(on: bool) -> Self {
        Self { on, columns: None }
    }

    /// The same, on a terminal with so many columns.
    #[cfg(test)]
    pub(crate) fn with_columns(self, columns: usize) -> Self {
        Self { columns: Some(columns), ..self }
    }

    /// Folds plain text to what is right of the first `indent` columns, and indents each line but the
    /// first. No text is folded that a user may want to paste.
    pub(crate) fn fold(self, indent: usize, text: &str) -> String {
        let next = format!("\n{}", " ".repeat(indent));
        let Some(columns) = self.columns else { return text.replace('\n', &next) };
        let width = columns.saturating_sub(indent).max(FOLD_MIN);
        // Paths and commands in the text stay whole.
        let options = textwrap::Options::new(width)
            .break_words(false)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        textwrap::wrap(text, options).join(&next)
    }

    /// Something that is as it must be.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("1;32", text)
    }

    /// A broken promise.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Something unknown.
    pub(crate) fn doubtful(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// What the reader should see first.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What the reader may skip.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        let mark = MARK.as_str();
        if self.on { format!("{mark}{code}m{text}{mark}0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // What the terminal must not get, and the visible text in its place. The last two are harmless.
    #[rstest]
    #[case::colour("\u{1b}[31mred", "\\u001b[31mred")]
    #[case::our_own_colour("\u{1b}[1;31mFAIL\u{1b}[0m", "\\u001b[1;31mFAIL\\u001b[0m")]
    #[case::title("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007")]
    #[case::c1("\u{9b}2J\u{9d}0;t\u{9c}", "\\u009b2J\\u009d0;t\\u009c")]
    #[case::cursor("ok\rFAIL\u{8}\u{b}\u{0}\u{7f}", "ok\\u000dFAIL\\u0008\\u000b\\u0000\\u007f")]
    #[case::direction(
        "\u{202e}dlrow\u{202c} \u{2067}x\u{2069}",
        "\\u202edlrow\\u202c \\u2067x\\u2069"
    )]
    #[case::line("one\u{2028}two\u{2029}", "one\\u2028two\\u2029")]
    #[case::mark_without_its_number("\u{fdd0}[1;31m", "\u{fdd0}[1;31m")]
    #[case::text(
        "\ttab, line\nand \u{e9}\u{20ac}\u{1f642}",
        "\ttab, line\nand \u{e9}\u{20ac}\u{1f642}"
    )]
    fn nothing_that_a_terminal_would_carry_out_is_written(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(displayed(text), shown);
        let painted = displayed(&Paint::new(true).bad(text));
        assert_eq!(painted, format!("\u{1b}[1;31m{shown}\u{1b}[0m"));
    }

    #[test]
    fn text_is_folded_to_the_width_of_a_terminal_and_only_there() {
        let text =
            "the daemon mirrors all of it, and a/path/that/is/longer/than/any/line/is/not/cut";
        let terminal = Paint::new(false).with_columns(44);
        let folded = terminal.fold(4, text);
        assert_eq!(
            folded,
            "the daemon mirrors all of it, and\n    a/path/that/is/longer/than/any/line/is/not/cut"
        );
        assert_eq!(Paint::new(false).fold(4, text), text);
        assert_eq!(Paint::new(false).fold(4, "one\ntwo"), "one\n    two");
    }

    // The JSON of a report means the same after it was escaped.
    #[test]
    fn escaped_json_is_the_same_json() {
        let value = serde_json::json!({ "why": "a\u{1b}]0;b\u{7}\u{9b}c\u{202e}\r\nd" });
        let shown = displayed(&value.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
        assert!(!shown.contains(is_command), "{shown:?}");
    }

    #[test]
    fn a_report_with_a_planted_secret_is_not_written() {
        assert_eq!(masked("nothing of a world"), "nothing of a world");
        let secret = canary::secret("Said");
        let panic = std::panic::catch_unwind(|| masked(&secret).len()).expect_err("a bug");
        let words = panic.downcast_ref::<String>().expect("it has words");
        assert!(words.contains("masking has failed") && !words.contains(&secret), "{words}");
    }
}
