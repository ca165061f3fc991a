//! Edits of the fields in a response's head.

use std::collections::BTreeMap;

/// The fields by which a body is framed (RFC 9112, section 6); an edit of them is left out, because
/// nobody could tell any more where the response ends.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "upgrade"];

/// Fields, each with the value to set; without a value, the field is removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeadEdits(BTreeMap<String, Option<String>>);

impl HeadEdits {
    pub(crate) fn new(mut edits: BTreeMap<String, Option<String>>) -> Self {
        edits.retain(|name, _| !FRAMING.contains(&name.to_ascii_lowercase().as_str()));
        Self(edits)
    }

    /// The head with every edit applied, and a description of those that changed it; none if nothing
    /// has changed. A field that is set may be new.
    pub(crate) fn apply(&self, head: &[u8]) -> Option<(Vec<u8>, String)> {
        let mut lines: Vec<_> = head.split_inclusive(|byte| *byte == b'\n').collect();
        // The empty line at the end comes behind fields that are new.
        let end = lines.pop()?;
        let mut bytes = lines.concat();
        let mut applied = Vec::new();
        for (name, value) in &self.0 {
            let (kept, removed) = without(&bytes, name);
            let added = value.as_ref().map(|value| format!("{name}: {value}\r\n"));
            if added.as_ref().map(String::as_bytes) == removed.as_deref() {
                continue;
            }
            bytes = kept;
            bytes.extend_from_slice(added.unwrap_or_default().as_bytes());
            applied.push(format!("`{name}`"));
        }
        bytes.extend_from_slice(end);
        let description = format!("rewrote the head's {}", applied.join(", "));
        (!applied.is_empty()).then_some((bytes, description))
    }
}

/// The lines without those of the field `name`, and these; the first line is no field.
fn without(lines: &[u8], name: &str) -> (Vec<u8>, Option<Vec<u8>>) {
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    for (number, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let field = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is_meant = number > 0 && field.eq_ignore_ascii_case(name.as_bytes());
        if is_meant { &mut removed } else { &mut kept }.extend_from_slice(line);
    }
    (kept, (!removed.is_empty()).then_some(removed))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\napi-version: 1.45\r\nContent-Length: 2\r\nX: y\r\n\r\n";

    #[rstest]
    #[case::set(
        "Api-Version",
        Some("1.24"),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\nApi-Version: 1.24\r\n\r\n"
    )]
    #[case::new(
        "Warning",
        Some("old"),
        "HTTP/1.1 200 OK\r\napi-version: 1.45\r\nContent-Length: 2\r\nX: y\r\nWarning: old\r\n\r\n"
    )]
    #[case::removed("x", None, "HTTP/1.1 200 OK\r\napi-version: 1.45\r\nContent-Length: 2\r\n\r\n")]
    fn a_field_is_set_or_removed(
        #[case] name: &str,
        #[case] value: Option<&str>,
        #[case] expected: &str,
    ) {
        let edits = HeadEdits::new([(name.to_owned(), value.map(str::to_owned))].into());
        let (head, description) = edits.apply(HEAD.as_bytes()).expect("it changes");
        assert_eq!(String::from_utf8(head).expect("text"), expected);
        assert_eq!(description, format!("rewrote the head's `{name}`"));
    }

    // An edit that changes nothing must not be described either: the fault did not happen.
    #[rstest]
    #[case::not_there("Warning", None)]
    #[case::as_it_was("X", Some("y"))]
    #[case::framing("content-length", Some("1"))]
    #[case::first_line("HTTP/1.1 200 OK", None)]
    fn an_edit_that_does_not_apply_changes_nothing(
        #[case] name: &str,
        #[case] value: Option<&str>,
    ) {
        let edits = HeadEdits::new([(name.to_owned(), value.map(str::to_owned))].into());
        assert_eq!(edits.apply(HEAD.as_bytes()), None);
    }
}
