//! Reduces log lines to their messages, so that lines with the same meaning become equal texts.

use serde_json::Value;

/// The message of a line without its header and time, and with numbers, IDs and quoted names masked. Two
/// lines that differ only in these have the same message.
///
/// A line has the form of klog, of logrus text, or is a JSON object (contract 1.1).
pub(super) fn normalised(line: &str) -> String {
    let text = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(object)) => {
            // Other keys name objects, which must not distinguish messages.
            let parts = ["msg", "err", "error"].iter().filter_map(|key| object.get(*key)?.as_str());
            parts.collect::<Vec<_>>().join(": ")
        }
        Ok(_) | Err(_) => without_quoted_values(without_header(line)),
    };
    without_numbers(&text)
}

/// Removes klog's header, which ends with `] `, or the time and level before the message of logrus.
fn without_header(line: &str) -> &str {
    // klog's header begins with a letter and the date as four digits, such as `E1121`.
    let dated = line.get(1..5).is_some_and(|date| date.bytes().all(|b| b.is_ascii_digit()));
    if dated && let Some((_, rest)) = line.split_once("] ") {
        return rest;
    }
    line.find("msg=").and_then(|at| line.get(at..)).unwrap_or(line)
}

/// Masks the quoted values of all keys except messages, and names that are quoted within a message.
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
            // Inside the quoted message, quotes are escaped. Every second part is a quoted name.
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

/// Position of the closing quote of a quoted text. `text` begins after the opening quote.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Masks words that contain a digit: numbers, IDs, times, hashes, versions.
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
