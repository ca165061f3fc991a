//! Numbers of the contract's promises.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Number of one promise of the daemon's contract (docs/contract.md), such as `4.2.7`: the seventh
/// promise of section 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromiseNumber {
    chapter: u8,
    section: u8,
    promise: u8,
}

/// A text that is not the number of a promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the number of a promise, which is three numbers from 1 to 255, as in `4.2.7`"
)]
pub struct InvalidPromiseNumber(String);

impl PromiseNumber {
    /// The section that states the promise, such as `4.2`.
    #[must_use]
    pub fn section(&self) -> String {
        format!("{}.{}", self.chapter, self.section)
    }

    /// The chapter that the section belongs to, such as `4`.
    #[must_use]
    pub fn chapter(&self) -> String {
        self.chapter.to_string()
    }
}

impl FromStr for PromiseNumber {
    type Err = InvalidPromiseNumber;

    fn from_str(text: &str) -> Result<Self, InvalidPromiseNumber> {
        // `u8::from_str` accepts a sign and leading zeros, so one promise could have several names.
        let part = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            plain.then(|| text.parse::<u8>().ok()).flatten()
        };
        let parts: Option<Vec<_>> = text.split('.').map(part).collect();
        match parts.as_deref() {
            Some(&[chapter, section, promise]) => Ok(Self { chapter, section, promise }),
            _ => Err(InvalidPromiseNumber(text.to_owned())),
        }
    }
}

impl TryFrom<String> for PromiseNumber {
    type Error = InvalidPromiseNumber;

    fn try_from(text: String) -> Result<Self, InvalidPromiseNumber> {
        text.parse()
    }
}

impl From<PromiseNumber> for String {
    fn from(number: PromiseNumber) -> Self {
        number.to_string()
    }
}

impl fmt::Display for PromiseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}.{}", self.chapter, self.section, self.promise))
    }
}

#[cfg(test)]
mod tests {
    use super::PromiseNumber;

    // Compared as numbers, 4.2.10 follows 4.2.9; compared as texts it would precede 4.2.2.
    #[test]
    fn numbers_are_ordered_as_numbers() {
        let number = |text: &str| text.parse::<PromiseNumber>().unwrap();
        assert!(number("4.2.9") < number("4.2.10"));
        assert_eq!(number("4.2.10").to_string(), "4.2.10");
        assert_eq!(
            (number("4.2.10").section(), number("4.2.10").chapter()),
            ("4.2".into(), "4".into())
        );
    }

    // Each text but one differs from a number in one thing.
    #[test]
    fn anything_but_three_plain_numbers_is_refused() {
        for text in ["4.2", "4.2.7.1", "4.2.x", "4.2.07", "4.2.+7", "4.2.0", "4.2.256", "4..7", ""]
        {
            assert!(text.parse::<PromiseNumber>().is_err(), "{text}");
        }
    }
}
