//! The workloads, and the surface of the contract with the workloads that touch each item.

use std::fmt::Write as _;

use racetrap_history::FindingId;

use super::Paint;
use crate::workloads::{CoveredItem, Group, SurfaceCoverage};

/// How many workloads a line names; more are counted.
const NAMED: usize = 4;

/// The workloads, then each item with those that touch it, and at the end what no workload touches.
pub(crate) fn workloads(coverage: &SurfaceCoverage<'_>, paint: Paint) -> String {
    let mut text = String::new();
    let ids = coverage.workloads.iter().map(|(id, _)| id.as_str().len());
    let width = ids.max().unwrap_or_default();
    for (id, steps) in &coverage.workloads {
        let id = paint.strong(&format!("{:width$}", id.as_str()));
        let _ = writeln!(text, "{id}  {steps:2} steps");
    }
    for group in Group::ALL {
        let items: Vec<_> = coverage.touched(group).collect();
        table(&mut text, group, &items, paint, |covered| named(&covered.workloads));
    }
    let untouched = Group::ALL.map(|group| coverage.untouched(group).count());
    let untouched: usize = untouched.iter().sum();
    if untouched > 0 {
        let _ = writeln!(text, "\n{}", paint.strong("No workload touches:"));
    }
    for group in Group::ALL {
        let items: Vec<_> = coverage.untouched(group).collect();
        table(&mut text, group, &items, paint, |covered| {
            covered.why_not.unwrap_or_default().to_owned()
        });
    }
    let all = coverage.items.len();
    let (count, touched) = (coverage.workloads.len(), all - untouched);
    let _ = writeln!(
        text,
        "\n{count} workloads; {all} items: {touched} touched, {untouched} not, {} of these with a \
         reason",
        coverage.with_reason()
    );
    text
}

/// The heading of a group and a line for each item. Nothing for a group without items.
fn table(
    text: &mut String,
    group: Group,
    items: &[&CoveredItem<'_>],
    paint: Paint,
    second: impl Fn(&CoveredItem<'_>) -> String,
) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", group.title());
    let names = items.iter().map(|covered| covered.item.name.len());
    let width = names.max().unwrap_or_default();
    for covered in items {
        let second = paint.fold(width + 4, &second(covered));
        let line = format!("  {:width$}  {second}", covered.item.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn named(workloads: &[&FindingId]) -> String {
    let mut names: Vec<_> = workloads.iter().take(NAMED).map(ToString::to_string).collect();
    let more = workloads.len() - names.len();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workloads::Workloads;

    /// The snapshot is the coverage: a review of a change sees what a workload no longer touches.
    #[test]
    fn the_table_has_each_item_once_and_the_gaps_at_the_end() {
        let workloads = Workloads::embedded().expect("each file is a workload");
        let coverage = SurfaceCoverage::new(workloads.scenarios());
        let text = super::workloads(&coverage, Paint::new(false));
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("workloads", text));
    }

    #[test]
    fn a_line_names_some_workloads_and_counts_the_rest() {
        let ids = ["a", "b", "c", "d", "e", "f"].map(|id| id.parse::<FindingId>().expect("an id"));
        let ids: Vec<_> = ids.iter().collect();
        assert_eq!(named(&ids[..4]), "a, b, c, d");
        assert_eq!(named(&ids), "a, b, c, d, and 2 more");
    }
}
