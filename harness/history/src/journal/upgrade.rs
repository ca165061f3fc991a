//! Converts records of format 1 into records of format 2.
//!
//! Some values that are texts in format 1 have closed types in format 2. Only this module parses those
//! texts. If a text cannot be parsed, the new value is "unknown" and contains the text.

use serde_json::{Map, Value, json};

use super::file::FORMAT;

/// The oldest format that can be read.
pub(super) const OLDEST: u32 = 1;

/// In format 1, the standard error of a command that the harness killed at its limit.
const TIMED_OUT: &str = "it was still running at its limit, and was killed";

/// Converts a record of format 1 into one of format 2. Anything else stays unchanged; parsing it as a
/// record fails later.
pub(super) fn upgrade(record: &mut Value) {
    let Some(record) = record.as_object_mut() else { return };
    match record.get("what").and_then(Value::as_str).unwrap_or_default() {
        "run" => {
            record.insert("format".to_owned(), FORMAT.into());
        }
        // The header contains the step, so format 2 has no text for it.
        "step_began" => {
            record.remove("text");
        }
        "wire" | "api_wire" | "user_wire" => {
            change(record, "side", |side| match side.as_str() {
                Some("daemon") => "client".into(),
                Some("engine") => "upstream".into(),
                Some(_) | None => side.clone(),
            });
        }
        "review" => change(record, "outcome", |outcome| review(outcome.as_str())),
        "process" => {
            let died = record.get_mut("state").and_then(|state| state.get_mut("died"));
            if let Some(died) = died.and_then(Value::as_object_mut) {
                let how = died.remove("how").unwrap_or_default();
                died.insert("exit".to_owned(), exit_of(how.as_str().unwrap_or_default()));
            }
        }
        "command" => {
            // A command that the harness killed has no exit code, and only its error text says why.
            let is_late = record.get("stderr").and_then(Value::as_str) == Some(TIMED_OUT);
            change(record, "exit", |exit| exit_code(exit, is_late));
        }
        "user_command" => {
            if let Some(end) = record.get_mut("end").and_then(Value::as_object_mut) {
                change(end, "exit", |exit| exit_code(exit, false));
            }
        }
        "log_crowd" => change(record, "answers", answers),
        "log_client" => {
            let reason = record.get("reason").and_then(Value::as_str).unwrap_or_default();
            let not_utf8 = record.get("log").and_then(Value::as_str) == Some("ended")
                && reason.contains("UTF-8");
            if not_utf8 {
                record.insert("not_utf8".to_owned(), true.into());
            }
        }
        _ => {}
    }
}

/// Changes the value of a key if the object has the key.
fn change(object: &mut Map<String, Value>, key: &str, to: impl FnOnce(&Value) -> Value) {
    if let Some(value) = object.get_mut(key) {
        *value = to(value);
    }
}

/// Converts `allowed`, `denied`, `held at GATE`, `released from GATE` or `given up at GATE`.
fn review(outcome: Option<&str>) -> Value {
    let outcome = outcome.unwrap_or_default();
    let of_gate = [
        ("held at ", "held_at"),
        ("released from ", "released_from"),
        ("given up at ", "given_up_at"),
    ];
    for (words, name) in of_gate {
        if let Some(gate) = outcome.strip_prefix(words) {
            return json!({ name: gate });
        }
    }
    outcome.into()
}

/// Converts `exit status: CODE`, `exit code CODE`, `signal: NUMBER (NAME)`, or the reason why the harness
/// does not know how a process ended.
fn exit_of(how: &str) -> Value {
    let number = |words: &str| {
        let rest = how.strip_prefix(words)?;
        rest.split(' ').next()?.parse::<i32>().ok()
    };
    if let Some(code) = number("exit status: ").or_else(|| number("exit code ")) {
        json!({ "code": code })
    } else if let Some(signal) = number("signal: ") {
        json!({ "signal": signal })
    } else {
        json!({ "unknown": how })
    }
}

/// Converts an exit code. It is null if a signal or the harness's limit ended the command.
fn exit_code(exit: &Value, is_late: bool) -> Value {
    if !exit.is_null() {
        json!({ "code": exit })
    } else if is_late {
        "timed_out".into()
    } else {
        // Format 1 did not record which signal.
        json!({ "unknown": "a signal ended it" })
    }
}

/// Converts an object with a number of clients for each status into a list in the order of the statuses.
fn answers(answers: &Value) -> Value {
    let counts = answers.as_object().into_iter().flatten().map(
        |(status, clients)| json!({ "status": status.parse::<u16>().ok(), "clients": clients }),
    );
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|count| count["status"].as_u64());
    counts.into()
}
