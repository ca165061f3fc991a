//! A replay file in one line, which can be pasted where a file cannot be sent.
//!
//! `rt1:` and then, in the alphabet of base64 for URLs: four bytes of a checksum, and the text of the file,
//! compressed. Replay files have many words in common, so the compression begins with these.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zstd::bulk::{Compressor, Decompressor};

use crate::scenario_file::SIZE_MAX;

/// What tokens begin with. The number is the version of their format.
const PREFIX: &str = "rt1:";

/// Words of replay files. They are a part of the format: without the very same text, no token can be read.
const WORDS: &[u8] = include_bytes!("words.txt");

/// zstd's highest level that needs no more memory to be read.
const LEVEL: i32 = 19;

/// How many bytes of the digest are the checksum.
const CHECKSUM: usize = 4;

/// A text that is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub(crate) enum TokenError {
    #[error("the token has format {found}, and this racetrap reads {}", PREFIX.trim_end_matches(':'))]
    #[diagnostic(help("use the version of racetrap that printed it, or a newer one"))]
    Format { found: String },
    #[error("the token is damaged: {why}")]
    #[diagnostic(help("copy all of it, from `{PREFIX}` to the end of the word"))]
    Damaged { why: &'static str },
}

/// Whether a text is meant as a token, of whatever format.
pub(crate) fn is_token(text: &str) -> bool {
    format_of(text).is_some()
}

/// What stands before the colon of a token.
fn format_of(text: &str) -> Option<&str> {
    let (format, _) = text.split_once(':')?;
    let number = format.strip_prefix("rt")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(format)
}

/// The token of a replay file.
pub(crate) fn to_token(text: &str) -> std::io::Result<String> {
    let compressed = Compressor::with_dictionary(LEVEL, WORDS)?.compress(text.as_bytes())?;
    let mut bytes = checksum(&compressed).to_vec();
    bytes.extend(compressed);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The text of the replay file that a token stands for.
pub(crate) fn from_token(token: &str) -> Result<String, TokenError> {
    let damaged = |why| TokenError::Damaged { why };
    let Some(encoded) = token.trim().strip_prefix(PREFIX) else {
        let found = format_of(token).unwrap_or("none").to_owned();
        return Err(TokenError::Format { found });
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded)
        .map_err(|_| damaged("it has letters that no token has, or its last ones are missing"))?;
    let Some((sum, compressed)) = bytes.split_at_checked(CHECKSUM) else {
        return Err(damaged("it is too short"));
    };
    if *sum != checksum(compressed) {
        return Err(damaged("its checksum is wrong"));
    }
    let unreadable = |_| damaged("it cannot be unpacked");
    // No token unpacks to more than a file may have.
    let most = usize::try_from(SIZE_MAX).unwrap_or(usize::MAX);
    let mut decompressor = Decompressor::with_dictionary(WORDS).map_err(unreadable)?;
    let text = decompressor.decompress(compressed, most).map_err(unreadable)?;
    String::from_utf8(text).map_err(|_| damaged("it is no text"))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(bytes);
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TEXT: &str =
        "finding: work-volume-life.1a2b3c4d\nsteps:\n- app:\n    running: true\n- settle\n";

    /// Printed once by the first version of this format. It must be read for ever.
    const OLD: &str = "rt1:fHXopyi1L_0gTOUAAEhmMWEyYjNjNGQFAE8YsDMAsJVdvgL04YgMXgE";

    #[test]
    fn a_token_is_one_word_that_stands_for_its_text() {
        let token = to_token(TEXT).expect("a token");
        assert!(is_token(&token) && token.len() < TEXT.len() + 20, "{token}");
        assert!(
            token[4..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(from_token(&token).as_deref(), Ok(TEXT));
        assert_eq!(from_token(&format!(" {token}\n")).as_deref(), Ok(TEXT));
    }

    #[test]
    fn a_token_of_the_first_version_is_read() {
        assert_eq!(from_token(OLD).as_deref(), Ok(TEXT));
    }

    #[rstest]
    #[case("rt2:abcd", true)]
    #[case("rt1:", true)]
    #[case("rt:abcd", false)]
    #[case("295-I3", false)]
    #[case("found/a.yaml", false)]
    fn a_token_is_known_by_its_beginning(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_token(text), expected);
    }

    // One letter is changed, left out or added, in each place of the token.
    #[test]
    fn a_damaged_token_is_refused() {
        for place in PREFIX.len()..OLD.len() {
            let (before, after) = OLD.split_at(place);
            let other = if after.starts_with('A') { "B" } else { "A" };
            for damaged in [
                format!("{before}{other}{}", &after[1..]),
                format!("{before}{}", &after[1..]),
                format!("{before}{other}{after}"),
                before.to_owned(),
            ] {
                assert_ne!(from_token(&damaged).as_deref(), Ok(TEXT), "{damaged}");
            }
        }
        let error = from_token("rt2:abcd").expect_err("another format");
        assert_eq!(error.to_string(), "the token has format rt2, and this racetrap reads rt1");
    }
}
