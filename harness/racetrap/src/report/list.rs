//! The catalogue as a table.

use std::fmt::Write as _;

use racetrap_history::{Scenario, Unshown};

use super::Paint;

/// One line per finding: id, oracle, title. Below them the findings that cannot be run, with the
/// reason.
pub(crate) fn list<'a>(
    entries: impl Iterator<Item = &'a Scenario>,
    unshown: impl Iterator<Item = &'a Unshown>,
    paint: Paint,
) -> String {
    let rows: Vec<_> = entries
        .filter_map(|entry| {
            let about = entry.about.as_ref()?;
            Some((entry.finding.to_string(), about.oracle.to_string(), about.title.as_str()))
        })
        .collect();
    let id = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
    let oracle = rows.iter().map(|row| row.1.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (finding, by, title) in &rows {
        let finding = paint.strong(&format!("{finding:id$}"));
        let by = paint.faint(&format!("{by:oracle$}"));
        let _ = writeln!(text, "{finding}  {by}  {title}");
    }
    for unshown in unshown {
        let finding = paint.strong(&format!("{:id$}", unshown.finding.to_string()));
        let why = paint.faint(&format!("{:oracle$}  not run: {}", "", unshown.unshown));
        let _ = writeln!(text, "{finding}  {:oracle$}  {}", "-", unshown.title);
        let _ = writeln!(text, "{:id$}  {why}", "");
    }
    text
}
