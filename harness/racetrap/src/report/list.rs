//! The catalogue as a table.

use std::fmt::Write as _;

use racetrap_history::{Scenario, Unshown};

use super::Paint;
use crate::process::called;
use crate::timeline::story;

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
        let title = paint.fold(id + oracle + 4, title);
        let _ = writeln!(text, "{finding}  {by}  {title}");
    }
    for unshown in unshown {
        let finding = paint.strong(&format!("{:id$}", unshown.finding.to_string()));
        let indent = id + oracle + 4;
        let places: Vec<_> = unshown.platforms.iter().map(ToString::to_string).collect();
        // None where no running daemon could show the finding.
        let place = if places.is_empty() {
            String::new()
        } else {
            format!(", could be shown on {}", places.join(", "))
        };
        let why = paint.fold(indent, &format!("not run{place}: {}", unshown.unshown));
        let title = paint.fold(indent, &unshown.title);
        let _ = writeln!(text, "{finding}  {:oracle$}  {title}", "-");
        let _ = writeln!(text, "{:indent$}{}", "", paint.faint(&why));
    }
    text
}

/// Everything that is known of a finding: what goes wrong, the schedule in words, and what a correct
/// daemon does.
pub(crate) fn finding(scenario: &Scenario, paint: Paint) -> String {
    let mut text = String::new();
    let id = scenario.finding.to_string();
    let title = scenario.about.as_ref().map(|about| about.title.as_str()).unwrap_or_default();
    let _ = writeln!(text, "{}  {}", paint.strong(&id), paint.fold(id.len() + 2, title));
    let Some(about) = &scenario.about else { return text };
    let promises: Vec<_> = about.promises.iter().map(ToString::to_string).collect();
    let platforms: Vec<_> = about.platforms.iter().map(ToString::to_string).collect();
    let mut rows = vec![("source", about.source.clone())];
    rows.push(("defect", about.broken.clone()));
    rows.push(("correct", about.correct.clone()));
    rows.extend(story(scenario));
    rows.push(("judged by", format!("{} (promises {})", about.oracle, promises.join(", "))));
    rows.push(("platforms", platforms.join(", ")));
    rows.push(("run it", format!("{} repro {id}", called())));
    rows.push(("break it", format!("{} repro {id} --defect {}", called(), about.defect)));
    for (label, what) in rows {
        let is_command = label.ends_with(" it");
        let what = if is_command { what } else { paint.fold(13, what.trim_end()) };
        let _ = writeln!(text, "  {}  {what}", paint.faint(&format!("{label:<9}")));
    }
    text.push('\n');
    text
}
