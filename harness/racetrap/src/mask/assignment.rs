//! Values that text assigns to names that announce a secret: `password=…`, `"token": "…"`.

use std::sync::LazyLock;

use regex::Regex;

use super::hits::{Hits, Rule};
use super::masker::{Masker, is_masked, is_scheme};
use super::place::Place;
use super::words::announces_secret;

/// A name that may announce a secret, and what joins it to its value: an operator, or only space.
pub(super) const PATTERN: &str = concat!(
    r"(?i)(?P<name>[a-z0-9_.-]*(?:passw|passphrase|passcode|pwd|[_.-]pass|secret|token|api[_.-]?key",
    r"|access[_.-]?key|private[_.-]?key|signing[_.-]?key|encryption[_.-]?key|account[_.-]?key",
    r"|unlock[_.-]?key|client-key-data|credential|auth|jwt|signature|connection[_.-]?string)",
    r"[a-z0-9_.-]*|(?-u:\b)sig)",
    r"(?:\\*[\x22'`]?\]?[ \t]*(?P<operator>:=|=>|=|:)|[ \t]+(?P<is>(?:is|was)[ \t]+)?)",
);

static ASSIGNMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is tested"));

/// Values that are no secrets.
const EMPTY: [&str; 11] =
    ["true", "false", "null", "nil", "none", "<nil>", "<none>", "***", "<redacted>", "{}", "[]"];

/// How long a text must be to be taken for a secret where only a word stands before it, in bytes.
const RANDOM: usize = 16;

impl Masker {
    /// Masks values of names that announce a secret; none, where there is nothing to mask.
    pub(super) fn assignments(
        &self,
        text: &str,
        at: &Place<'_>,
        hits: &mut Hits,
    ) -> Option<String> {
        let mut masked = String::new();
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
            let is_empty = EMPTY.contains(&secret.to_ascii_lowercase().as_str());
            if is_empty || is_scheme(secret) || is_masked(secret) {
                continue;
            }
            masked.push_str(&text[end..from + start]);
            masked.push_str(&self.hide(Rule::NamedValue, secret, &at.line_of(text, from), hits));
            end = from + start + length;
            from = end;
        }
        (end > 0).then(|| masked + &text[end..])
    }
}

/// What stands between a name and its value.
#[derive(Clone, Copy)]
enum Join {
    /// `=` or its like, with space before it or not.
    Equals {
        spaced: bool,
    },
    Colon,
    /// The word `is` or `was`.
    Is,
    Space,
}

/// Start and length of the value at the beginning of `rest`.
fn value(rest: &str, join: Join) -> Option<(usize, usize)> {
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    // `NAME= OTHER=x` has an empty value.
    if spaces > 0 && matches!(join, Join::Equals { spaced: false }) {
        return None;
    }
    let at = &rest[spaces..];
    let brackets = at.len() - at.trim_start_matches(['[', '{', '(']).len();
    let at = &at[brackets..];
    let slashes = at.len() - at.trim_start_matches('\\').len();
    let quote = at[slashes..].chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'));
    let (start, length) = match quote {
        Some(quote) => (slashes + 1, quoted(&at[slashes + 1..], quote, slashes)),
        None => (0, bare(at)),
    };
    let value = &at[start..start + length];
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

/// Length of what stands before the closing quote, or before the end of the line. A quote behind
/// `slashes` backslashes is closed by one behind no more of them; what is escaped closes nothing.
fn quoted(rest: &str, quote: char, slashes: usize) -> usize {
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

/// Length of a value without quotes: to the next space or quote, or to where another assignment
/// follows behind a comma, a semicolon or an ampersand.
fn bare(rest: &str) -> usize {
    let end =
        rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`'));
    let rest = &rest[..end.unwrap_or(rest.len())];
    let parts = rest.match_indices([',', ';', '&']);
    let next = parts.map(|(at, _)| at).find(|at| is_assignment(&rest[at + 1..]));
    let value = &rest[..next.unwrap_or(rest.len())];
    value.trim_end_matches([')', ']', '}', '>', ',', ';', '.', '\\', ':']).len()
}

/// Whether a text is empty, or begins with a name and an operator.
fn is_assignment(text: &str) -> bool {
    let name = text.find(|letter: char| !(letter.is_alphanumeric() || "_.-".contains(letter)));
    match name {
        None => text.is_empty(),
        Some(end) => end > 0 && text[end..].starts_with(['=', ':']),
    }
}

/// Whether nothing more of a sentence follows.
fn ends_line(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', ')', ']', '}', '"', '\'', '\\']);
    rest.is_empty() || rest.starts_with(['\n', '\r', ',', ';', '#', '&'])
}

/// Whether a text is rather a key than words, a path or a name.
fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let key = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(&byte);
    let (digits, lower) = (has(u8::is_ascii_digit), has(u8::is_ascii_lowercase));
    let joined = !has(|byte| b"/.-_".contains(byte)) && value.len() >= RANDOM * 3 / 2;
    let mixed = digits && (lower && has(u8::is_ascii_uppercase) || joined);
    value.len() >= RANDOM && value.bytes().all(key) && mixed || is_hexadecimal(value)
}

/// Whether a text is a UUID, a digest or the like.
fn is_hexadecimal(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= 2 * RANDOM && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
