//! Secrets in text, by patterns.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::{Regex, RegexSet};

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::{Masker, is_masked};

/// A form by which secrets are recognised.
struct Form {
    rule: Rule,
    /// A pattern whose group `s` is the secret.
    regex: &'static str,
    /// Whether a text in group `s` really is a secret.
    is_secret: fn(&str) -> bool,
}

/// The forms in the order in which they are applied: the longest secrets first, so that no later
/// pattern finds only a part of one.
const FORMS: [Form; 8] = [
    Form {
        rule: Rule::PrivateKey,
        regex: concat!(
            r"(?P<s>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)",
            r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z))"
        ),
        is_secret: |_| true,
    },
    // The base64 of `-----BEGIN`.
    Form {
        rule: Rule::PrivateKey,
        regex: r"(?P<s>LS0tLS1CRUdJTi[A-Za-z0-9+/_-]+={0,2})",
        is_secret: holds_private_key,
    },
    // A header as in a request, as in JSON, and as Go prints a map of headers.
    Form {
        rule: Rule::Header,
        regex: concat!(
            r"(?i)(?-u:\b)(?:(?:proxy-)?authorization|x-registry-(?:auth|config)|(?:set-)?cookie",
            r"|x-api-key|x-auth-token|x-amz-security-token|private-token)\\*[\x22']?[ \t]*[:=][ \t]*",
            r"(?:\[[ \t]*)?\\*[\x22']?(?:(?:bearer|basic|digest|negotiate|token)[ \t]+)?(?P<s>[^\x22'\\\[\]\r\n]+)"
        ),
        is_secret: |value| !value.trim().is_empty(),
    },
    // The base64 of `{"`.
    Form {
        rule: Rule::EncodedJson,
        regex: r"(?-u:\b)(?P<s>eyJ[A-Za-z0-9_+/=.-]{12,})",
        is_secret: |_| true,
    },
    Form {
        rule: Rule::Bearer,
        regex: r"(?i)(?-u:\b)bearer[ \t]+(?P<s>[A-Za-z0-9_.~+/=-]{8,})",
        is_secret: is_no_word,
    },
    Form {
        rule: Rule::Bearer,
        regex: r"(?i)(?-u:\b)basic[ \t]+(?P<s>[A-Za-z0-9+/]{6,}={0,2})",
        is_secret: |value| decoded(value).is_some_and(|text| text.contains(&b':')),
    },
    Form {
        rule: Rule::UrlPassword,
        regex: concat!(
            r"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\x22'<>]*:",
            r"(?P<s>[^\s/\x22'<>]+|[^\s@\x22'<>]+)@"
        ),
        is_secret: is_no_port,
    },
    Form {
        rule: Rule::IssuedKey,
        regex: concat!(
            r"(?-u:\b)(?P<s>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?-u:\b)|gh[pousr]_[A-Za-z0-9]{30,}",
            r"|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|dckr_[po]at_[A-Za-z0-9_-]{20,}",
            r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{36}|AIza[A-Za-z0-9_-]{35}",
            r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|SWMTKN-1-[a-z0-9-]{50,}|SWMKEY-1-[A-Za-z0-9+/]{40,}",
            r"|K10[a-f0-9]{64}::[a-z]+:[A-Za-z0-9]+|hvs\.[A-Za-z0-9_-]{20,}",
            r"|token-[a-z0-9]{5}:[a-z0-9]{50,})"
        ),
        is_secret: |_| true,
    },
];

/// A form with its compiled pattern.
struct Pattern {
    form: &'static Form,
    regex: Regex,
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let patterns = FORMS.iter().map(|form| Pattern {
        form,
        regex: Regex::new(form.regex).expect("every pattern is tested"),
    });
    patterns.collect()
});

/// All patterns in one set, assignments last. Most texts match none, and the set finds that out in
/// one pass.
static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = FORMS.iter().map(|form| form.regex);
    let patterns = patterns.chain(std::iter::once(super::assignment::PATTERN));
    RegexSet::new(patterns).expect("every pattern is tested")
});

impl Masker {
    /// Masks everything that a pattern finds in a text. `at` is the location of the text.
    pub(crate) fn text<'a>(
        &self,
        text: &'a str,
        at: &Location<'_>,
        hits: &mut Hits,
    ) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        if text.len() < SHORTEST {
            return masked;
        }
        // In the order of the set. A pattern that matched the original text is applied to the text
        // that the earlier patterns have masked, and may find nothing any more.
        let found = ANY.matches(text);
        for index in found.iter() {
            let after = match PATTERNS.get(index) {
                Some(pattern) => self.apply(pattern, &masked, at, hits),
                None => self.assignments(&masked, at, hits),
            };
            if let Some(after) = after {
                masked = Cow::Owned(after);
            }
        }
        masked
    }

    /// Returns the text with everything masked that the pattern finds, or `None` if it finds
    /// nothing.
    fn apply(
        &self,
        Pattern { form, regex }: &Pattern,
        text: &str,
        at: &Location<'_>,
        hits: &mut Hits,
    ) -> Option<String> {
        let mut masked = String::new();
        let mut end = 0;
        for secret in regex.captures_iter(text).filter_map(|found| found.name("s")) {
            let value = secret.as_str();
            if is_masked(value) || !(form.is_secret)(value) {
                continue;
            }
            // Only the group `s` is replaced, so the name of a header and the user of an URL stay.
            masked.push_str(&text[end..secret.start()]);
            let location = at.line_of(text, secret.start());
            masked.push_str(&self.mask_secret(form.rule, value, &location, hits));
            end = secret.end();
        }
        (end > 0).then(|| masked + &text[end..])
    }
}

/// The shortest text that any pattern matches, in bytes.
const SHORTEST: usize = 6;

/// Whether a text looks like a secret and not like a word of a sentence ("bearer tokens").
fn is_no_word(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    !letters || text.len() >= 20 || is_mixed(text)
}

/// Whether the text between a colon and an `@` in an URL is not a port followed by a path with an
/// `@`.
fn is_no_port(text: &str) -> bool {
    let port = text.split_once('/').map(|(port, _)| port);
    port.is_none_or(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text has capital and small letters, not counting its first byte.
fn is_mixed(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    rest.bytes().any(|byte| byte.is_ascii_uppercase())
        && rest.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether the base64 of a PEM document is that of a private key. A certificate is no secret.
fn holds_private_key(encoded: &str) -> bool {
    // 48 bytes are enough for the first line. A text that cannot be decoded counts as a key.
    let head = encoded.get(..encoded.len().min(64) & !3).unwrap_or_default();
    let head = head.replace('-', "+").replace('_', "/");
    decoded(&head)
        .is_none_or(|text| text.windows(b"PRIVATE".len()).any(|window| window == b"PRIVATE"))
}

fn decoded(encoded: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).ok()
}
