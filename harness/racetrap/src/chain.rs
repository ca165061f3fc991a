//! An error together with its causes, as one line.

use std::error::Error;

/// The error's message and those of its causes: `outermost: cause: cause of the cause`.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
