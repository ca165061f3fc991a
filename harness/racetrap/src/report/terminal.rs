//! The only place that writes to standard output, and the one that writes messages to standard
//! error.

use std::io::{self, IsTerminal as _, Write};

use crate::mask::canary;

/// Standard output, and whether it gets colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    paint: Paint,
}

impl Terminal {
    /// Standard output as it is now. No colours if it is not a terminal or `NO_COLOR` is set
    /// (no-color.org).
    pub(crate) fn open() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { paint: Paint::new(std::io::stdout().is_terminal() && !refused) }
    }

    /// The painter for this output.
    pub(crate) fn paint(self) -> Paint {
        self.paint
    }

    /// Writes `text`. Ignores a reader that closed the pipe, because it has read what it wanted.
    ///
    /// # Errors
    /// If the text could not be written completely.
    ///
    /// # Panics
    /// If the text contains a planted secret, because masking has failed then.
    pub(crate) fn write(self, text: &str) -> Result<(), NotWritten> {
        let text = masked(text);
        let mut output = io::stdout().lock();
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(NotWritten { source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }
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
    let _ = writeln!(io::stderr(), "{text}");
}

/// Paints text, or returns it unchanged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// With colours, or without.
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
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
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_with_a_planted_secret_is_not_written() {
        assert_eq!(masked("nothing of a world"), "nothing of a world");
        let secret = canary::secret("Said");
        let panic = std::panic::catch_unwind(|| masked(&secret).len()).expect_err("a bug");
        let words = panic.downcast_ref::<String>().expect("it has words");
        assert!(words.contains("masking has failed") && !words.contains(&secret), "{words}");
    }
}
