//! The files beside a page, to which its links lead.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters of a file's name that are not encoded in a link; `:` is, because it would end a scheme.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// The files in the evidence directory of a run. Those that the page leads to by line come with
/// their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Names of files; the name of a directory ends with `/`.
    pub names: Vec<String>,
    /// Texts of the schedule and of the logs, by name.
    pub texts: BTreeMap<String, String>,
}

impl Beside {
    /// A relative link to a file. Anybody may have named the file, so everything but letters, digits
    /// and a few signs is encoded.
    pub(super) fn link(name: &str) -> String {
        format!("./{}", utf8_percent_encode(name, &KEPT))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Beside;

    #[rstest]
    #[case("engine.log", "./engine.log")]
    #[case("world/", "./world/")]
    #[case("javascript:alert(1)", "./javascript%3Aalert%281%29")]
    #[case("a#b?c d", "./a%23b%3Fc%20d")]
    fn a_name_is_never_more_than_a_relative_link(#[case] name: &str, #[case] link: &str) {
        assert_eq!(Beside::link(name), link);
    }
}
