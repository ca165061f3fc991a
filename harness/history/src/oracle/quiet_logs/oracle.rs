//! The log contains no panic, no secret, and no error without a cause.
//!
//! - No line is the trace of a panic (finding 295-S3).
//! - No line contains a secret: a bearer token, a private key or a registry login (contract 3.1, 5).
//! - Every error has a cause that the harness knows (`causes`), and that explains errors of this kind
//!   about this object. That the daemon removed an object is no cause (finding 295-S8).
//! - How many errors were excused, and by which cause, is a part of the finding.
//! - The daemon retries with backoff, so it does not log the same error or warning over and over
//!   (contract 4.3, 4.5).

use std::collections::{BTreeMap, BTreeSet};

use super::causes::KnownCauses;
use super::complaint::Complaint;
use crate::check::Check;
use crate::oracle::Finding;
use crate::oracle::message::normalised;
use crate::record::{LogLevel, Record, Stage, What};
use crate::steps::Steps;

/// How often the daemon may log the same error or warning between two checkpoints without any event. A
/// backoff that starts at 5 ms and doubles needs more than an hour for so many retries.
const MAX_REPEATS: usize = 20;

/// Errors that a correct daemon may log at any time, and why.
const HARMLESS: [(&str, &str); 9] = [
    ("already exists", "two creations of one object met; the daemon retries"),
    // The daemon's own admission refuses the second creation of a LimaVM before the API can.
    ("is already used in namespace", "two creations of one object met; the daemon retries"),
    ("the object has been modified", "two writes of one object met; the daemon retries"),
    ("Apply failed with", "the daemon does not overwrite a field of another owner (295-I9)"),
    ("http: Handler timeout", "the API server answers a client that no longer waits"),
    // So it ends the stream of a client that has been silent for 60 s, too (contract 6.1.27).
    ("Timeout or abort while handling", "the API server ends a request for which nobody waits"),
    ("apiserver received an error that is not an metav1.Status", "a client of the API has gone"),
    ("post-timeout activity", "the API server reports that such a request has ended"),
    ("Post-timeout activity", "the API server reports that such a request has ended"),
];

/// Parts of lines that have a finding of their own. Only a run of that finding judges them; in any
/// other run they would hide what that run is about.
const JUDGED_ELSEWHERE: [(&[&str], &str); 3] = [
    (&["failed to remove finalizer", "not found"], "295-S8"),
    (&["unable to update Container status", "not found"], "rdd-L1"),
    (&["Reconciler error", "controller=\"container\"", "not found"], "rdd-L1"),
];

/// A violation quotes so many characters of a line.
const MAX_QUOTED: usize = 300;

/// Judges every line of the log.
#[must_use]
pub fn quiet_logs(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::from_history(history);
    let mut causes = KnownCauses::default();
    let finding_id = history.iter().find_map(|record| match &record.what {
        What::Run(header) => Some(header.finding.as_str()),
        _ => None,
    });
    let mut reported: BTreeSet<String> = BTreeSet::new();
    let mut repetitions = Repetitions::default();
    // Within a step, an error may be recorded before the disruption that caused it, so lines are judged
    // only at the end of their step.
    let mut lines = Lines::default();
    for record in history {
        causes.apply(record, steps);
        repetitions.apply(&record.what);
        let ends_step = matches!(
            record.what,
            What::StepDone { .. }
                | What::StepFailed { .. }
                | What::StepBegan { .. }
                | What::Ending
                | What::Ended
        );
        if let What::Log { level, text } = &record.what {
            // While the daemon starts or stops, its parts log often that they wait for each other.
            if *level >= LogLevel::Warning && !causes.daemon_is_moving() {
                repetitions.count(&normalised(text), record.seq);
            }
            lines.add(record.seq, *level, text);
        }
        if ends_step {
            for (seq, level, text) in std::mem::take(&mut lines).0 {
                match problem(level, &text, &causes, finding_id) {
                    Outcome::Fine => {}
                    Outcome::Excused(why) => finding.excused(why),
                    // Lines that differ only in names and numbers are one violation.
                    Outcome::Wrong(problem) if reported.insert(normalised(&text)) => {
                        let text = format!("{problem}: {}", masked(&text));
                        finding.violated(Check::BadLine, seq, text);
                    }
                    Outcome::Wrong(_) => {}
                }
            }
        }
        if matches!(
            record.what,
            What::Checkpoint { stage: Stage::Probed, .. } | What::Ending | What::Ended
        ) {
            std::mem::take(&mut repetitions).judge(&mut finding);
            reported.clear();
        }
    }
    finding
}

/// Lines of the log, each with the number of its record and its level.
#[derive(Default)]
struct Lines(Vec<(u64, LogLevel, String)>);

impl Lines {
    /// Adds a line. klog writes a value of several lines as such: `err=<`, then each line indented by a
    /// tab, and ` >` before the next value. All of these are one line here.
    fn add(&mut self, seq: u64, level: LogLevel, text: &str) {
        if let Some((_, _, before)) = self.0.last_mut()
            && (text.starts_with('\t') || text.starts_with(" >"))
            && before.contains("=<")
        {
            before.push('\n');
            before.push_str(text);
            return;
        }
        self.0.push((seq, level, text.to_owned()));
    }
}

/// What a line of the log shows.
enum Outcome {
    /// Nothing.
    Fine,
    /// An error, which is excused for this reason.
    Excused(String),
    /// A broken promise.
    Wrong(&'static str),
}

/// What a line shows in a run of this finding.
fn problem(level: LogLevel, text: &str, causes: &KnownCauses, finding_id: Option<&str>) -> Outcome {
    if secret(text).is_some() {
        return Outcome::Wrong("the log contains a secret");
    }
    match level {
        LogLevel::Panic => Outcome::Wrong("the log contains a panic"),
        LogLevel::Error => match excuse(text, causes, finding_id) {
            Some(why) => Outcome::Excused(why),
            None => Outcome::Wrong("the log contains an error without a known cause"),
        },
        LogLevel::Warning | LogLevel::Info => Outcome::Fine,
    }
}

/// Why an error is excused; `None` if it is not. A line may report several failures, and each needs a
/// cause. The first one's cause is reported.
fn excuse(text: &str, causes: &KnownCauses, finding_id: Option<&str>) -> Option<String> {
    if let Some(finding) = judged_elsewhere(text, finding_id) {
        return Some(format!("it is judged in the finding {finding}"));
    }
    if let Some(why) = harmless(text) {
        return Some(why.to_owned());
    }
    let complaints = Complaint::all(text);
    let reasons: Option<Vec<_>> = complaints.iter().map(|one| causes.explain(one)).collect();
    reasons?.first().map(ToString::to_string)
}

/// The finding that the line has for itself, if this is not a run of it.
fn judged_elsewhere(text: &str, finding_id: Option<&str>) -> Option<&'static str> {
    let fits = |parts: &[&str]| parts.iter().all(|part| text.contains(part));
    let known = JUDGED_ELSEWHERE.iter().find(|(parts, finding)| {
        let of_this_run = finding_id == Some(*finding);
        fits(parts) && !of_this_run
    });
    known.map(|(_, finding)| *finding)
}

/// Why a correct daemon may log this error at any time, if it may.
fn harmless(text: &str) -> Option<&'static str> {
    HARMLESS.iter().find(|(words, _)| text.contains(words)).map(|(_, why)| *why)
}

/// Position of the first secret that the line certainly contains. A word that only looks like a secret
/// does not count, because a false alarm would fail the run.
fn secret(text: &str) -> Option<usize> {
    let after = |marker: &str, least: usize, of: fn(char) -> bool| {
        text.match_indices(marker).map(|(at, _)| at + marker.len()).find(|at| {
            let rest = &text[*at..];
            rest.find(|c: char| !of(c)).unwrap_or(rest.len()) >= least
        })
    };
    let of_token = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let key = text.find("-----BEGIN ").filter(|at| text[*at..].contains("PRIVATE KEY"));
    let token = after("Bearer ", 20, of_token);
    let login = after("\"auth\":\"", 4, of_base64).or(after("\\\"auth\\\":\\\"", 4, of_base64));
    key.or(token).or(login)
}

/// The line up to its secret, and at most [`MAX_QUOTED`] characters of it.
fn masked(text: &str) -> String {
    let end = secret(text).unwrap_or(text.len());
    let mut shown: String = text[..end].chars().take(MAX_QUOTED).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// How often each error and warning was logged since the last checkpoint.
#[derive(Default)]
struct Repetitions {
    /// The count of each message, and the record of the last one.
    messages: BTreeMap<String, (usize, u64)>,
    /// Events that may each have started a reconcile.
    events: usize,
}

impl Repetitions {
    /// Counts events: each may start a reconcile, which may fail and log once more (contract 4.3).
    fn apply(&mut self, what: &What) {
        let is_event = matches!(what, What::Api(_) | What::Engine(_) | What::UserWrite(_));
        self.events += usize::from(is_event);
    }

    fn count(&mut self, message: &str, seq: u64) {
        let counted = self.messages.entry(message.to_owned()).or_default();
        *counted = (counted.0 + 1, seq);
    }

    fn judge(self, finding: &mut Finding) {
        for (message, (count, seq)) in self.messages {
            if count > MAX_REPEATS + self.events {
                let text = format!(
                    "the daemon logged {count} times between two checkpoints, with {} events: \
                     {message}",
                    self.events
                );
                finding.violated(Check::RepeatedLine, seq, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{harmless, masked, secret};

    // Each plain line is like a secret one, except that the secret is missing, too short or public. So
    // the words around a secret do not suffice.
    #[test]
    fn only_a_complete_secret_is_found() {
        let secrets = [
            "Authorization: Bearer 0f8fad5b-d9cb-469f-a165-70867728950e",
            "-----BEGIN RSA PRIVATE KEY-----",
            r#"wrote {"auths":{"r":{"auth":"dXNlcjpwYXNz"}}}"#,
        ];
        assert!(secrets.iter().all(|line| secret(line).is_some()));
        let plain = ["Bearer token is missing", "-----BEGIN CERTIFICATE-----", r#"{"auth":""}"#];
        assert!(plain.iter().all(|line| secret(line).is_none()));
    }

    // A report quotes the line of a violation, so the quoted text must end before the secret.
    #[test]
    fn a_violation_does_not_quote_the_secret() {
        let shown = masked("sent Bearer 0f8fad5b-d9cb-469f-a165-70867728950e to it");
        assert_eq!(shown, "sent Bearer …");
    }

    // The two lines differ only in the end of the text that is looked for.
    #[test]
    fn a_harmless_text_is_found_anywhere_in_a_line() {
        assert!(harmless("E1 a.go:1] x already exists").is_some());
        let second =
            r#"E1 a.go:1] admission denied: LimaVM name "rd" is already used in namespace"#;
        assert!(harmless(second).is_some());
        assert!(harmless("E1 a.go:1] x already exited").is_none());
    }
}
