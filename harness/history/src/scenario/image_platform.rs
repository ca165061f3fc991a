//! The platform that an image is for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An operating system and a processor in the words of images, such as `linux/arm64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ImagePlatform(String);

/// A text that names no platform of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform of an image: OS/PROCESSOR, such as `linux/arm64`")]
pub struct NoImagePlatform(String);

impl TryFrom<String> for ImagePlatform {
    type Error = NoImagePlatform;

    fn try_from(text: String) -> Result<Self, NoImagePlatform> {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        match text.split_once('/') {
            Some((os, processor)) if is_word(os) && is_word(processor) => Ok(Self(text)),
            Some(_) | None => Err(NoImagePlatform(text)),
        }
    }
}

impl fmt::Display for ImagePlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("linux/arm64", true)]
    #[case("windows/amd64", true)]
    #[case("arm64", false)]
    #[case("linux/", false)]
    #[case("linux/arm64/v8", false)]
    #[case("Linux/arm64", false)]
    fn a_platform_has_two_words(#[case] text: &str, #[case] fits: bool) {
        assert_eq!(ImagePlatform::try_from(text.to_owned()).is_ok(), fits);
    }
}
