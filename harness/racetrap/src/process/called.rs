//! How the user called this program.

use std::ffi::OsStr;
use std::path::Path;

/// A script that starts racetrap names itself in this variable, so that printed commands name the
/// script as well.
const VARIABLE: &str = "RACETRAP_CALLED";

/// The command as the user called it, quoted for a shell. Printed commands begin with it, so that
/// they can be pasted: after a build from source, no `racetrap` is on PATH.
pub(crate) fn called() -> String {
    let by_script = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
    let by_itself = || std::env::args_os().next();
    let name = by_script.or_else(by_itself).unwrap_or_default();
    quoted(&word(&name))
}

/// The whole command line as the user called it, quoted for a shell.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| quoted(&argument.to_string_lossy()));
    std::iter::once(called()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The path by which the program was called, or its name if the shell found it on PATH.
fn word(called: &OsStr) -> String {
    let has_directory = Path::new(called).components().count() > 1;
    let is_path = has_directory && !called.is_empty();
    if is_path { called.to_string_lossy().into_owned() } else { "racetrap".to_owned() }
}

/// A word, quoted so that a POSIX shell takes it as it is.
pub(crate) fn quoted(word: &str) -> String {
    let quoted = shlex::try_quote(word).expect("an argument of a program has no NUL byte");
    quoted.into_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::on_path("racetrap", "racetrap")]
    #[case::under_another_name("rt", "racetrap")]
    #[case::nothing("", "racetrap")]
    #[case::below("target/debug/racetrap", "target/debug/racetrap")]
    #[case::here("./racetrap", "./racetrap")]
    #[case::with_a_blank("/my place/racetrap", "'/my place/racetrap'")]
    fn a_printed_command_begins_as_the_user_called_it(#[case] called: &str, #[case] printed: &str) {
        assert_eq!(quoted(&word(OsStr::new(called))), printed);
    }

    /// Each word is one that a shell would otherwise split, expand or end.
    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("295-I3"), "295-I3");
        assert_eq!(quoted("./a b.yaml"), "'./a b.yaml'");
        assert_eq!(quoted("it's"), r#""it's""#);
        assert_eq!(quoted("$HOME"), "'$HOME'");
        assert_eq!(quoted(""), "''");
    }
}
