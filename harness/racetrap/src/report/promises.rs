//! The contract's promises as a table: who judges each, what exercises it, and by which defects.

use std::fmt::Write as _;

use super::Paint;
use crate::contract::{Coverage, Covered};

/// Two lines for each promise: its text, and who judges it or why nobody does. Then the counts.
pub(crate) fn promises(coverage: &Coverage<'_>, paint: Paint) -> String {
    let numbers = coverage.promises.iter().map(|promise| promise.number.to_string().len());
    let width = numbers.max().unwrap_or_default();
    let mut text = String::new();
    let (judged, not_judged): (Vec<_>, Vec<_>) =
        coverage.promises.iter().partition(|promise| promise.is_judged());
    for promise in judged {
        line(&mut text, promise, width, paint);
        let _ = writeln!(text, "{:width$}  {}", "", paint.faint(&tested_by(promise)));
    }
    if !not_judged.is_empty() {
        let _ = writeln!(text, "\nNo oracle judges:");
        for promise in not_judged {
            line(&mut text, promise, width, paint);
            if let Some(why) = promise.why_not {
                let _ =
                    writeln!(text, "{:width$}  {}", "", paint.faint(&format!("not judged: {why}")));
            }
        }
    }
    let _ = writeln!(
        text,
        "\n{} promises: {} judged, {} of these exercised by a finding, {} not judged",
        coverage.promises.len(),
        coverage.judged(),
        coverage.exercised(),
        coverage.not_judged()
    );
    text
}

fn line(text: &mut String, promise: &Covered<'_>, width: usize, paint: Paint) {
    let number = paint.strong(&format!("{:width$}", promise.number));
    let _ = writeln!(text, "{number}  {}", promise.text);
}

fn tested_by(promise: &Covered<'_>) -> String {
    let oracles: Vec<_> = promise.oracles.iter().map(ToString::to_string).collect();
    let findings: Vec<_> = promise.findings.iter().map(ToString::to_string).collect();
    let judged = format!("judged by {}", oracles.join(", "));
    if findings.is_empty() {
        return format!("{judged}; no finding exercises it");
    }
    let (findings, defects) = (findings.join(", "), promise.defects.join(", "));
    format!("{judged}; exercised by {findings}; defects: {defects}")
}

#[cfg(test)]
mod tests {
    use racetrap_history::{FindingId, OracleName};

    use super::*;

    // One promise of each sort: exercised, judged only, and neither.
    #[test]
    fn each_sort_of_promise_is_told_apart_and_counted() {
        let finding = FindingId::try_from("1-A".to_owned()).unwrap();
        let promise = |number: &str, text, oracles: &[OracleName]| Covered {
            number: number.parse().unwrap(),
            section: "Events",
            text,
            oracles: oracles.to_vec(),
            why_not: oracles.is_empty().then_some("it needs a guest"),
            findings: Vec::new(),
            defects: Vec::new(),
        };
        let exercised = Covered {
            findings: vec![&finding],
            defects: vec!["1-A"],
            ..promise("4.2.1", "One.", &[OracleName::Convergence, OracleName::Counts])
        };
        let judged = promise("4.2.10", "Two.", &[OracleName::Identity]);
        let coverage =
            Coverage { promises: vec![exercised, judged, promise("4.3.1", "Three.", &[])] };
        assert_eq!(
            promises(&coverage, Paint::new(false)),
            "\
4.2.1   One.
        judged by convergence, counts; exercised by 1-A; defects: 1-A
4.2.10  Two.
        judged by identity; no finding exercises it

No oracle judges:
4.3.1   Three.
        not judged: it needs a guest

3 promises: 2 judged, 1 of these exercised by a finding, 1 not judged
"
        );
    }
}
