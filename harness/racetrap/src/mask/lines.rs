//! The lines of a stream, one after the other: a private key in PEM has several.

use std::borrow::Cow;

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::Masker;

/// Masks the lines of one stream in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineMasker {
    masker: Masker,
    /// Whether the next line may belong to a private key.
    in_key: bool,
    /// How many numbered lines there were.
    count: usize,
}

impl LineMasker {
    pub(crate) fn new(masker: Masker) -> Self {
        Self { masker, in_key: false, count: 0 }
    }

    /// Masks the next line of a file, whose location is its number. Keeps a line end.
    pub(crate) fn numbered_line(&mut self, line: &str, hits: &mut Hits) -> String {
        self.count += 1;
        let body = line.strip_suffix('\n').unwrap_or(line);
        let masked = self.line(body, &Location::ROOT.line(self.count), hits);
        masked.into_owned() + &line[body.len()..]
    }

    /// Masks the next line, with or without a line end.
    pub(crate) fn line<'a>(
        &mut self,
        line: &'a str,
        at: &Location<'_>,
        hits: &mut Hits,
    ) -> Cow<'a, str> {
        let end = line.find("-----END ");
        if self.in_key && (end.is_some() || is_of_key(line)) {
            self.in_key = end.is_none();
            let body = line.trim_end_matches(['\r', '\n']);
            // The line end stays outside of the mask.
            let mask = self.masker.mask_secret(Rule::PrivateKey, body, at, hits);
            return Cow::Owned(mask + &line[body.len()..]);
        }
        // The last key of the line continues on the next line, unless it ends on this one.
        let begin = line.rfind("-----BEGIN ");
        self.in_key = begin.is_some_and(|begin| {
            line[begin..].contains("PRIVATE KEY") && end.is_none_or(|end| end < begin)
        });
        self.masker.text(line, at, hits)
    }
}

/// Whether a line can be inside a key: base64, or a header of an encrypted key.
fn is_of_key(line: &str) -> bool {
    let line = line.trim();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let header = line
        .split_once(": ")
        .is_some_and(|(name, _)| matches!(name, "Proc-Type" | "DEK-Info" | "Version" | "Comment"));
    header || line.bytes().all(base64)
}
