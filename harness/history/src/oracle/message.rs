//! Log lines of the same meaning as the same text.

use serde_json::Value;

/// The message of a line, without its header and time, with numbers, IDs and quoted names masked:
/// two lines that differ in these alone give the same text.
///
/// Lines are klog's, logrus text, or objects of JSON (contract 1.1).
pub(super) fn normalised(line: &str) -> String {
    let text = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(object)) => {
            let said = ["msg", "err", "error"].iter().filter_map(|key| object.get(*key)?.as_str());
            said.collect::<Vec<_>>().join(": ")
        }
        Ok(_) | Err(_) => without_quoted_values(without_header(line)),
    };
    without_numbers(&text)
}

/// klog's header ends with `] `; logrus text has the message after time and level.
fn without_header(line: &str) -> &str {
    let dated = line.get(1..5).is_some_and(|date| date.bytes().all(|b| b.is_ascii_digit()));
    if dated && let Some((_, rest)) = line.split_once("] ") {
        return rest;
    }
    line.find("msg=").and_then(|at| line.get(at..)).unwrap_or(line)
}

/// Masks the values of keys that name objects, and names that are quoted within a message.
fn without_quoted_values(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        out.push_str(before);
        let end = closing(after);
        let (value, next) = (&after[..end], after.get(end + 1..).unwrap_or_default());
        let key = before.strip_suffix('=').map(|text| text.rsplit(' ').next().unwrap_or(text));
        let is_message = matches!(key, Some("msg" | "err" | "error")) || out.is_empty();
        if is_message {
            let mut parts = value.split("\\\"").enumerate();
            out.extend(parts.by_ref().map(|(n, part)| if n % 2 == 0 { part } else { "…" }));
        } else {
            out.push('…');
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Where the quoted text ends that `text` begins with.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Masks words that have a digit in them: numbers, IDs, times, hashes, versions.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let (body, separator) = match word.char_indices().last() {
            Some((at, c)) if !c.is_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        let has_digit = body.contains(|c: char| c.is_ascii_digit());
        out.push_str(if has_digit { "#" } else { body });
        out.push_str(separator);
    }
    out
}
