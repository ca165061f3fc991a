//! The log has no panic and no secret, and an error only where there was one.
//!
//! - No line is the trace of a panic (finding 295-S3).
//! - No line has a secret in it: bearer tokens, private keys, registry logins (contract 3.1, 5).
//! - An error has a reason that the harness knows of (`reasons`). That an object is not there any
//!   more is none: it is what was wanted (finding 295-S8).
//! - What is tried again is tried with backoff, so that the same error or warning does not fill the
//!   log (contract 4.3, 4.5).

use std::collections::{BTreeMap, BTreeSet};

use super::reasons::Reasons;
use crate::oracle::Finding;
use crate::oracle::message::normalised;
use crate::record::{LogLevel, Record, Stage, What};
use crate::scenario::OracleName;
use crate::steps::Steps;

/// How often the same error or warning may stand in the log between two checkpoints without any
/// event: backoff from 5 ms doubles, so that it comes to this in more than an hour.
const REPEATED: usize = 20;

/// Texts of errors that are none, and why.
const KNOWN: [(&str, &str); 6] = [
    ("already exists", "an optimistic creation met another, and is made anew"),
    ("the object has been modified", "an optimistic write met another, and is made anew"),
    ("Apply failed with", "a field of another owner is not taken by force (finding 295-I9)"),
    ("context canceled", "the daemon gave up what it was told to stop"),
    ("http: Handler timeout", "the API server has an answer for who gave up waiting for it"),
    ("post-timeout activity", "the same, as the API server tells it in the end"),
];

/// Errors that have a finding of their own, by what is in their line. They are judged where that
/// finding is shown, and nowhere else: one would hide what another run is about.
const FOUND: [(&[&str], &str); 3] = [
    (&["failed to remove finalizer", "not found"], "295-S8"),
    (&["unable to update Container status", "not found"], "rdd-L1"),
    (&["Reconciler error", "controller=\"container\"", "not found"], "rdd-L1"),
];

/// Lines shown in a violation are cut off here.
const SHOWN: usize = 300;

/// Judges every line of the log.
#[must_use]
pub fn quiet_logs(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let steps = Steps::of(history);
    let mut reasons = Reasons::default();
    let shown = history.iter().find_map(|record| match &record.what {
        What::Run(header) => Some(header.finding.as_str()),
        _ => None,
    });
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut repeated = Repeated::default();
    // Within a step, what the log says of a disturbance may be recorded before the disturbance.
    let mut lines: Vec<(u64, LogLevel, &str)> = Vec::new();
    for record in history {
        reasons.see(record, steps);
        repeated.see(&record.what);
        let ends_step = matches!(
            record.what,
            What::StepDone { .. }
                | What::StepFailed { .. }
                | What::StepBegan { .. }
                | What::Ending
                | What::Ended
        );
        if let What::Log { level, text } = &record.what {
            if *level >= LogLevel::Warning && !reasons.daemon_is_moving() {
                repeated.count(&normalised(text), record.seq);
            }
            lines.push((record.seq, *level, text));
        }
        if ends_step {
            for (seq, level, text) in lines.drain(..) {
                let wrong = wrong(level, text, &reasons).filter(|_| !is_found(text, shown));
                if let Some(what) = wrong.filter(|_| told.insert(normalised(text))) {
                    let text = format!("{what}: {}", masked(text));
                    finding.violated(OracleName::QuietLogs, seq, text);
                }
            }
        }
        if matches!(
            record.what,
            What::Checkpoint { stage: Stage::Probed, .. } | What::Ending | What::Ended
        ) {
            std::mem::take(&mut repeated).judge(&mut finding);
            told.clear();
        }
    }
    finding
}

/// What is wrong with a line.
fn wrong(level: LogLevel, text: &str, reasons: &Reasons) -> Option<&'static str> {
    if secret(text).is_some() {
        return Some("the log has a secret in it");
    }
    match level {
        LogLevel::Panic => Some("the log has a panic in it"),
        LogLevel::Error if !is_known(text, &KNOWN) && !reasons.excuse(text) => {
            Some("the log has an error in it, and there was none")
        }
        LogLevel::Error | LogLevel::Warning | LogLevel::Info => None,
    }
}

/// The line has a finding of its own, and that is not the one that is shown.
fn is_found(text: &str, shown: Option<&str>) -> bool {
    let fits = |parts: &[&str]| parts.iter().all(|part| text.contains(part));
    FOUND.iter().any(|(parts, finding)| fits(parts) && shown != Some(*finding))
}

fn is_known(text: &str, known: &[(&str, &str)]) -> bool {
    known.iter().any(|(needle, _)| text.contains(needle))
}

/// Where a secret begins that this line surely has in it.
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

/// The line as far as it may be shown.
fn masked(text: &str) -> String {
    let end = secret(text).unwrap_or(text.len());
    let mut shown: String = text[..end].chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Errors and warnings since the last checkpoint.
#[derive(Default)]
struct Repeated {
    messages: BTreeMap<String, (usize, u64)>,
    events: usize,
}

impl Repeated {
    /// What may begin a reconcile may also fail once more (contract 4.3).
    fn see(&mut self, what: &What) {
        let is_event = matches!(what, What::Api(_) | What::Engine(_) | What::UserWrite(_));
        self.events += usize::from(is_event);
    }

    fn count(&mut self, message: &str, seq: u64) {
        let counted = self.messages.entry(message.to_owned()).or_default();
        *counted = (counted.0 + 1, seq);
    }

    fn judge(self, finding: &mut Finding) {
        for (message, (count, seq)) in self.messages {
            if count > REPEATED + self.events {
                let text = format!(
                    "the log says {count} times between two checkpoints, with {} events: {message}",
                    self.events
                );
                finding.violated(OracleName::QuietLogs, seq, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_known, masked, secret};

    // The lines differ in one character or in length: only what surely is a secret counts.
    #[test]
    fn only_what_surely_is_a_secret_is_one() {
        let secrets = [
            "Authorization: Bearer 0f8fad5b-d9cb-469f-a165-70867728950e",
            "-----BEGIN RSA PRIVATE KEY-----",
            r#"wrote {"auths":{"r":{"auth":"dXNlcjpwYXNz"}}}"#,
        ];
        assert!(secrets.iter().all(|line| secret(line).is_some()));
        let plain = ["Bearer token is missing", "-----BEGIN CERTIFICATE-----", r#"{"auth":""}"#];
        assert!(plain.iter().all(|line| secret(line).is_none()));
    }

    // A violation is kept in a report, which must not tell the secret again.
    #[test]
    fn a_secret_is_not_shown() {
        let shown = masked("sent Bearer 0f8fad5b-d9cb-469f-a165-70867728950e to it");
        assert_eq!(shown, "sent Bearer …");
    }

    #[test]
    fn a_known_text_is_found_anywhere_in_a_line() {
        let known = [("is harmless", "a reason")];
        assert!(is_known("E1 a.go:1] this is harmless", &known));
        assert!(!is_known("E1 a.go:1] this is harmful", &known));
    }
}
