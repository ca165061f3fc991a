//! Secrets in text, by the name to which they are assigned: `password=…`, `"token": "…"`.

use std::sync::LazyLock;

use regex::Regex;

use super::hits::{Hits, Rule};
use super::location::Location;
use super::masker::{Masker, is_masked, is_scheme};
use super::words::announces_secret;

/// Matches a name that may announce a secret, and what joins it to its value: an operator, a verb
/// or spaces.
pub(super) const PATTERN: &str = concat!(
    r"(?i)(?P<name>[a-z0-9_.-]*(?:passw|passphrase|passcode|pwd|[_.-]pass|secret|token|api[_.-]?key",
    r"|access[_.-]?key|private[_.-]?key|signing[_.-]?key|encryption[_.-]?key|account[_.-]?key",
    r"|unlock[_.-]?key|client-key-data|credential|auth|jwt|signature|connection[_.-]?string)",
    r"[a-z0-9_.-]*|(?-u:\b)sig)",
    r"(?:\\*[\x22'`]?\]?[ \t]*(?P<operator>:=|=>|=|:)|[ \t]+(?P<is>(?:is|was)[ \t]+)?)",
);

static ASSIGNMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is tested"));

/// Values that are never secrets.
const EMPTY: [&str; 11] =
    ["true", "false", "null", "nil", "none", "<nil>", "<none>", "***", "<redacted>", "{}", "[]"];

/// How long a text must be to be considered random, in bytes. Only a random text is a secret if no
/// operator precedes it.
const RANDOM_MIN: usize = 16;

impl Masker {
    /// Masks the values of names that announce a secret. Returns `None` if there is nothing to
    /// mask.
    pub(super) fn assignments(
        &self,
        text: &str,
        at: &Location<'_>,
        hits: &mut Hits,
    ) -> Option<String> {
        let mut masked = String::new();
        // `end`: up to where `text` was copied; `from`: where the search continues. After a name
        // without a secret the search continues behind the name, because the value may be the name
        // of another assignment.
        let (mut end, mut from) = (0, 0);
        while let Some(found) = ASSIGNMENT.captures_at(text, from) {
            let whole = found.get(0).expect("group 0 is the match");
            from = whole.end();
            let name = found.name("name").map_or("", |name| name.as_str());
            let join = match found.name("operator") {
                Some(operator) if operator.as_str() == ":" => Join::Colon,
                Some(operator) => {
                    Join::Equals { spaced: text[..operator.start()].ends_with([' ', '\t']) }
                }
                None if found.name("is").is_some() => Join::Is,
                None => Join::Space,
            };
            if !announces_secret(name) {
                continue;
            }
            let Some((start, length)) = value(&text[from..], join) else { continue };
            let secret = &text[from + start..from + start + length];
            // The name of a scheme precedes the secret itself, which other patterns find.
            let is_empty = EMPTY.contains(&secret.to_ascii_lowercase().as_str());
            if is_empty || is_scheme(secret) || is_masked(secret) {
                continue;
            }
            masked.push_str(&text[end..from + start]);
            masked.push_str(&self.mask_secret(
                Rule::NamedValue,
                secret,
                &at.line_of(text, from),
                hits,
            ));
            end = from + start + length;
            from = end;
        }
        (end > 0).then(|| masked + &text[end..])
    }
}

/// What is between a name and its value.
#[derive(Clone, Copy)]
enum Join {
    /// `=`, `:=` or `=>`.
    Equals {
        /// Whether there is a space before it.
        spaced: bool,
    },
    Colon,
    /// The word `is` or `was`.
    Is,
    /// Only spaces.
    Space,
}

/// Start and length of the secret value at the beginning of `rest`; `None` if the value is no
/// secret.
fn value(rest: &str, join: Join) -> Option<(usize, usize)> {
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    // `NAME= OTHER=x` has an empty value.
    if spaces > 0 && matches!(join, Join::Equals { spaced: false }) {
        return None;
    }
    let at = &rest[spaces..];
    // The value may be the first one of a list or a map.
    let brackets = at.len() - at.trim_start_matches(['[', '{', '(']).len();
    let at = &at[brackets..];
    // JSON inside JSON has backslashes before its quotes.
    let slashes = at.len() - at.trim_start_matches('\\').len();
    let quote = at[slashes..].chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'));
    let (start, length) = match quote {
        Some(quote) => (slashes + 1, quoted(&at[slashes + 1..], quote, slashes)),
        None => (0, bare(at)),
    };
    let value = &at[start..start + length];
    // The weaker the connection of name and value is, the more the value must look like a secret.
    let is_secret = match join {
        Join::Equals { .. } => true,
        // `password: x` is YAML, `password: not found` is a sentence.
        Join::Colon => {
            spaces == 0 || quote.is_some() || ends_line(&at[start + length..]) || is_random(value)
        }
        Join::Is => quote.is_some() || is_random(value),
        Join::Space => is_random(value),
    };
    let is_secret = is_secret && !value.is_empty();
    is_secret.then_some((spaces + brackets + start, length))
}

/// Length of a quoted value: up to the closing quote, or to the end of the line. If `slashes`
/// backslashes precede the opening quote, then at most as many precede the closing one. An escaped
/// quote closes nothing.
fn quoted(rest: &str, quote: char, slashes: usize) -> usize {
    // The number of backslashes directly before the current letter.
    let mut before = 0;
    for (at, letter) in rest.char_indices() {
        if letter == '\n' {
            return at;
        }
        if letter == quote && slashes == 0 && before % 2 == 0 {
            return at;
        }
        if letter == quote && 0 < slashes && before <= slashes {
            return at - before;
        }
        before = if letter == '\\' { before + 1 } else { 0 };
    }
    rest.len()
}

/// Length of a value without quotes: up to the next space or quote, or up to a comma, a semicolon
/// or an ampersand that is followed by another assignment.
fn bare(rest: &str) -> usize {
    let end =
        rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`'));
    let rest = &rest[..end.unwrap_or(rest.len())];
    let parts = rest.match_indices([',', ';', '&']);
    let next = parts.map(|(at, _)| at).find(|at| is_assignment(&rest[at + 1..]));
    let value = &rest[..next.unwrap_or(rest.len())];
    value.trim_end_matches([')', ']', '}', '>', ',', ';', '.', '\\', ':']).len()
}

/// Whether a text is empty or begins with a name and an operator.
fn is_assignment(text: &str) -> bool {
    let name = text.find(|letter: char| !(letter.is_alphanumeric() || "_.-".contains(letter)));
    match name {
        None => text.is_empty(),
        Some(end) => end > 0 && text[end..].starts_with(['=', ':']),
    }
}

/// Whether a value is at the end of its line or clause, so that it is not the first word of a
/// sentence.
fn ends_line(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', ')', ']', '}', '"', '\'', '\\']);
    rest.is_empty() || rest.starts_with(['\n', '\r', ',', ';', '#', '&'])
}

/// Whether a text looks like a generated key, and not like words, a path or a name.
fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let key = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(&byte);
    let (digits, lower) = (has(u8::is_ascii_digit), has(u8::is_ascii_lowercase));
    let joined = !has(|byte| b"/.-_".contains(byte)) && value.len() >= RANDOM_MIN * 3 / 2;
    let mixed = digits && (lower && has(u8::is_ascii_uppercase) || joined);
    value.len() >= RANDOM_MIN && value.bytes().all(key) && mixed || is_hexadecimal(value)
}

/// Whether a text looks like a UUID or a digest.
fn is_hexadecimal(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= 2 * RANDOM_MIN && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
