//! Lines of the daemon's log that report a problem.

use racetrap_history::{LogLevel, What};

use super::{Row, Source, Tone};

/// One row for each level.
pub(super) fn rows(source: &Source<'_>) -> Vec<Row> {
    let level = |wanted: LogLevel, tone: Tone| {
        source.marks(|what| {
            matches!(what, What::Log { level, .. } if *level == wanted).then_some(tone)
        })
    };
    vec![
        Row::new("panics", level(LogLevel::Panic, Tone::Bad)),
        Row::new("errors", level(LogLevel::Error, Tone::Bad)),
        Row::new("warnings", level(LogLevel::Warning, Tone::Doubt)),
    ]
}
