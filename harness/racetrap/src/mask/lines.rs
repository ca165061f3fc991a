//! The same over the lines of a stream: a key in PEM has many.

use std::borrow::Cow;

use super::hits::{Hits, Rule};
use super::masker::Masker;
use super::place::Place;

/// Masks lines in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    masker: Masker,
    in_key: bool,
}

impl Lines {
    /// Begins with the first line of a stream.
    pub(crate) fn new(masker: Masker) -> Self {
        Self { masker, in_key: false }
    }

    /// The next line, with or without its end.
    pub(crate) fn line<'a>(
        &mut self,
        line: &'a str,
        at: &Place<'_>,
        hits: &mut Hits,
    ) -> Cow<'a, str> {
        let end = line.find("-----END ");
        if self.in_key && (end.is_some() || is_of_key(line)) {
            self.in_key = end.is_none();
            let body = line.trim_end_matches(['\r', '\n']);
            let mask = self.masker.hide(Rule::PrivateKey, body, at, hits);
            return Cow::Owned(mask + &line[body.len()..]);
        }
        let begin = line.rfind("-----BEGIN ");
        self.in_key = begin.is_some_and(|begin| {
            line[begin..].contains("PRIVATE KEY") && end.is_none_or(|end| end < begin)
        });
        self.masker.text(line, at, hits)
    }
}

/// Whether a line can be one of the lines within a key: base64, or a header of an encrypted one.
fn is_of_key(line: &str) -> bool {
    let line = line.trim();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let header = line
        .split_once(": ")
        .is_some_and(|(name, _)| matches!(name, "Proc-Type" | "DEK-Info" | "Version" | "Comment"));
    header || line.bytes().all(base64)
}
