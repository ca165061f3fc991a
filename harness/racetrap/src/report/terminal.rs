//! The only door to standard output, and the one to standard error beside it.

use std::io::{self, IsTerminal as _, Write};

use crate::mask::canary;

/// Standard output, and whether it takes colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    paint: Paint,
}

impl Terminal {
    /// Standard output as it is; `NO_COLOR` is honoured (no-color.org).
    pub(crate) fn open() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { paint: Paint::new(std::io::stdout().is_terminal() && !refused) }
    }

    /// How text for it is painted.
    pub(crate) fn paint(self) -> Paint {
        self.paint
    }

    /// Writes text as it is. A reader that went away is no error: it has read what it wanted.
    ///
    /// # Errors
    /// Where the text, or a part of it, could not be written.
    ///
    /// # Panics
    /// Where masking has failed in it.
    pub(crate) fn write(self, text: &str) -> Result<(), NotWritten> {
        let text = masked(text);
        let mut output = io::stdout().lock();
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(NotWritten { source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// What is said instead of a text in which a planted secret is.
const UNMASKED: &str =
    "left out: a planted secret is in what was to be told, so masking has failed";

/// The text of a report, which is written nowhere where a secret is left in it that was planted in a world.
///
/// # Panics
/// Where one is: that is a bug of the harness.
pub(crate) fn masked(text: &str) -> &str {
    assert!(!canary::is_in(text.as_bytes()), "{UNMASKED}");
    text
}

/// A report that nobody can have read, or not the whole of it.
#[derive(Debug, thiserror::Error)]
#[error("the report could not be written to standard output")]
pub(crate) struct NotWritten {
    source: io::Error,
}

/// Says something on standard error, which is no part of any report: where that cannot be written,
/// nothing else could tell of it, and the exit code still does.
pub(crate) fn tell(text: &str) {
    let text = if canary::is_in(text.as_bytes()) { UNMASKED } else { text };
    let _ = writeln!(io::stderr(), "{text}");
}

/// Puts colours around text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// With colours, or without.
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    /// As it must be.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("1;32", text)
    }

    /// A broken promise.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Neither.
    pub(crate) fn doubtful(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// What the eye shall find first.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What it may pass over.
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
