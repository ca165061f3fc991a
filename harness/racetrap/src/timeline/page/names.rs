//! Short names for the long ones that the engine and the API give to objects.

use std::borrow::Cow;
use std::collections::BTreeMap;

use racetrap_history::{Record, What};
use serde_json::Value;

/// As many hexadecimal digits as a name has at least that is shortened.
const LONG: usize = 32;

/// As many digits of such a name are left, as in the docker command.
const KEPT: usize = 12;

/// The words by which the objects of a history are known, by the hexadecimal part of their names.
#[derive(Default)]
pub(super) struct ShortNames(BTreeMap<String, String>);

impl ShortNames {
    /// Learns the names from the mirrors' own status: `vol-0123…` has the name of its volume there.
    pub(super) fn from_history(history: &[Record]) -> Self {
        let mut names = BTreeMap::new();
        for record in history {
            let What::Api(change) = &record.what else { continue };
            let text = |pointer: &str| change.object.pointer(pointer).and_then(Value::as_str);
            let known = text("/status/name").or_else(|| text("/status/repoTag"));
            let (Some(name), Some(known)) = (text("/metadata/name"), known) else { continue };
            for long in long_parts(name).into_iter().map(|(from, to)| &name[from..to]) {
                names.insert(long.to_owned(), known.to_owned());
            }
        }
        Self(names)
    }

    /// The text with `<NAME>` in place of each long name that is known, and the beginning of each
    /// other one.
    pub(super) fn shortened<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let parts = long_parts(text);
        if parts.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut short = String::new();
        let mut done = 0;
        for (from, to) in parts {
            short += &text[done..from];
            match self.0.get(&text[from..to]) {
                Some(name) => short += &format!("<{name}>"),
                None => short += &format!("{}…", &text[from..from + KEPT]),
            }
            done = to;
        }
        short += &text[done..];
        Cow::Owned(short)
    }
}

/// Where a text has a long hexadecimal number: the beginning and the end of each.
fn long_parts(text: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut from = 0;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    for (at, byte) in text.bytes().chain([0]).enumerate() {
        if is_digit(byte) {
            continue;
        }
        if at - from >= LONG {
            parts.push((from, at));
        }
        from = at + 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use racetrap_history::{ApiChange, Change};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const KNOWN: &str = "2a41753eb0a273e90ec1aa957fafaf8e9467840ec9154092b040666fa1f5304a";

    #[rstest]
    #[case::known(
        "added vol-2a41753eb0a273e90ec1aa957fafaf8e9467840ec9154092b040666fa1f5304a!",
        "added vol-<data>!"
    )]
    #[case::unknown("sha256:0f9a41753eb0a273e90ec1aa957fafaf", "sha256:0f9a41753eb0…")]
    #[case::short("exchange 0f9a41753eb0 of é", "exchange 0f9a41753eb0 of é")]
    fn a_long_name_is_a_short_one(#[case] text: &str, #[case] expected: &str) {
        let object = json!({
            "metadata": { "name": format!("vol-{KNOWN}") }, "status": { "name": "data" },
        });
        let what =
            What::Api(ApiChange { resource: "volumes".to_owned(), change: Change::Added, object });
        let history = [Record { seq: 0, at_us: 0, neighbour: false, what }];
        assert_eq!(ShortNames::from_history(&history).shortened(text), expected);
    }
}
