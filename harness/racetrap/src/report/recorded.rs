//! Compares the judgement of a bundle by the current oracles with the one that its run recorded.

use racetrap_history::{Judgement, Violation};

use super::run::{RunReport, entry, run};
use super::terminal::Paint;

/// The verdict that a bundle contains.
#[derive(Clone, Debug)]
pub(crate) enum Recorded {
    /// The judgement of the run's own oracles.
    Verdict(Judgement),
    /// There is none, for this reason.
    Nothing(String),
}

/// The differences between the new and the recorded judgement, one line each.
pub(crate) fn differences(now: &Judgement, recorded: &Recorded) -> Vec<String> {
    let before = match recorded {
        Recorded::Verdict(before) => before,
        Recorded::Nothing(why) => return vec![format!("nothing to compare with: {why}")],
    };
    let mut lines = Vec::new();
    if before.verdict != now.verdict {
        lines.push(format!("the verdict was {}, and is {}", before.verdict, now.verdict));
    }
    let told =
        |found: &Violation| format!("{}: {} (record {})", found.oracle, found.text, found.seq);
    let all = |judgement: &Judgement| -> Vec<String> {
        let violations = judgement.violations.iter().map(told);
        let unknowns = judgement.unknowns.iter().map(|unknown| &unknown.text);
        let rest = unknowns.chain(&judgement.not_applicable);
        violations.chain(rest.cloned()).collect()
    };
    let (old, new) = (all(before), all(now));
    let gone = old.iter().filter(|line| !new.contains(line));
    lines.extend(gone.map(|line| format!("not any more: {line}")));
    let come = new.iter().filter(|line| !old.contains(line));
    lines.extend(come.map(|line| format!("new: {line}")));
    lines
}

/// The report on a bundle as text: as for a run, plus the differences from the recorded verdict.
pub(crate) fn judged(report: &RunReport, recorded: &Recorded, paint: Paint) -> String {
    let mut text = run(report, false, paint);
    let differences = differences(&report.judgement, recorded);
    for line in &differences {
        entry(&mut text, "differs", line, paint);
    }
    if differences.is_empty() {
        entry(&mut text, "recorded", "the same verdict, for the same reasons", paint);
    }
    text
}

#[cfg(test)]
mod tests {
    use racetrap_history::{OracleName, Verdict};

    use super::*;

    fn judgement(verdict: Verdict, violations: &[(OracleName, u64, &str)]) -> Judgement {
        let violations = violations.iter().map(|&(oracle, seq, text)| {
            let text = text.to_owned();
            Violation { oracle, seq, check: None, text }
        });
        Judgement {
            verdict,
            violations: violations.collect(),
            unknowns: Vec::new(),
            not_applicable: None,
            excused: Vec::new(),
        }
    }

    // Of the three violations one is in both judgements, one moved and one changed its oracle: only
    // the latter two are differences.
    #[test]
    fn what_newer_oracles_find_and_do_not_find_is_told() {
        let (convergence, counts) = (OracleName::Convergence, OracleName::Counts);
        let before = judgement(Verdict::Fail, &[(convergence, 3, "one"), (convergence, 4, "two")]);
        let now = judgement(Verdict::Fail, &[(convergence, 3, "one"), (counts, 5, "two")]);
        let recorded = Recorded::Verdict(before.clone());
        assert_eq!(differences(&before, &recorded), Vec::<String>::new());
        assert_eq!(
            differences(&now, &recorded),
            ["not any more: convergence: two (record 4)", "new: counts: two (record 5)"]
        );
        let pass = judgement(Verdict::Pass, &[]);
        assert_eq!(differences(&pass, &recorded)[0], "the verdict was fail, and is pass");
        let unread = Recorded::Nothing("no verdict.json".to_owned());
        assert_eq!(differences(&pass, &unread), ["nothing to compare with: no verdict.json"]);
    }
}
