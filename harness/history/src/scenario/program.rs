//! The words of `/probe`, the only program in the harness's images. The documentation of
//! fixtures/images/program/main.rs describes each; a test compares it with this table.

use super::nearest::nearest;

/// Path of the program in each image.
pub const PROGRAM: &str = "/probe";

/// Flags that every command takes.
const FLAGS: [&str; 2] = ["--stay", "--ignore-term"];

/// One command of the program.
struct Command {
    word: &'static str,
    /// The meaning of its number, if it has one.
    number: Option<&'static str>,
    /// The largest number that it takes.
    most: u64,
    flags: &'static [&'static str],
    /// Flags with a number behind them.
    options: &'static [&'static str],
}

const COMMANDS: [Command; 5] = [
    Command { word: "sleep", number: None, most: 0, flags: &[], options: &[] },
    Command {
        word: "lines",
        number: Some("a count of lines"),
        most: u64::MAX,
        flags: &["--stderr-too"],
        options: &["--every"],
    },
    Command { word: "bytes", number: None, most: 0, flags: &[], options: &[] },
    Command {
        word: "flood",
        number: Some("a count of MiB"),
        most: u64::MAX,
        flags: &[],
        options: &[],
    },
    Command {
        word: "exit",
        number: Some("a status from 0 to 255"),
        most: 255,
        flags: &[],
        options: &[],
    },
];

/// Words that the program refuses: it would end with status 64 and print nothing that a log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedWords {
    /// What is wrong, as a sentence fragment.
    pub problem: String,
    /// What the program accepts there, the nearest first.
    pub expected: String,
}

/// The words of all commands of the program.
pub fn program_commands() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.word)
}

/// Checks the words that are given to the program.
///
/// # Errors
/// The first word that the program refuses, or the number that it lacks.
pub fn check_program_words<T: AsRef<str>>(words: &[T]) -> Result<(), RefusedWords> {
    let mut words = words.iter().map(AsRef::as_ref).filter(|word| !FLAGS.contains(word));
    let Some(first) = words.next() else {
        return Err(RefusedWords {
            problem: format!("`{PROGRAM}` is given no command"),
            expected: list(program_commands().map(|word| format!("`{word}`")).collect()),
        });
    };
    let Some(command) = COMMANDS.iter().find(|command| command.word == first) else {
        return Err(RefusedWords {
            problem: format!("`{PROGRAM}` has no command `{first}`"),
            expected: list(nearest(first, program_commands())),
        });
    };
    let mut has_number = command.number.is_none();
    while let Some(word) = words.next() {
        if command.flags.contains(&word) {
            continue;
        }
        if command.options.contains(&word) {
            let value = words.next().unwrap_or_default();
            require_number(command, value, &format!("a number behind `{word}`"), u64::MAX)?;
        } else if let Some(number) = command.number.filter(|_| !has_number) {
            if word.starts_with('-') {
                return Err(refused_flag(command, word));
            }
            require_number(command, word, number, command.most)?;
            has_number = true;
        } else {
            return Err(refused_flag(command, word));
        }
    }
    if has_number {
        return Ok(());
    }
    let number = command.number.unwrap_or_default();
    let problem = format!("the command `{first}` of `{PROGRAM}` lacks its number");
    Err(RefusedWords { problem, expected: number.to_owned() })
}

/// Whether the program ends by itself with these words.
pub fn program_ends<T: AsRef<str>>(words: &[T]) -> bool {
    !words.iter().any(|word| matches!(word.as_ref(), "sleep" | "--stay"))
}

fn require_number(
    command: &Command,
    word: &str,
    meaning: &str,
    most: u64,
) -> Result<(), RefusedWords> {
    if word.parse::<u64>().is_ok_and(|number| number <= most) {
        return Ok(());
    }
    let problem = format!("the command `{}` of `{PROGRAM}` does not take `{word}`", command.word);
    Err(RefusedWords { problem, expected: meaning.to_owned() })
}

fn refused_flag(command: &Command, word: &str) -> RefusedWords {
    let known = FLAGS.iter().chain(command.flags).chain(command.options).copied();
    RefusedWords {
        problem: format!("the command `{}` of `{PROGRAM}` does not take `{word}`", command.word),
        expected: list(nearest(word, known)),
    }
}

fn list(known: Vec<String>) -> String {
    format!("one of {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn split(words: &str) -> Vec<&str> {
        words.split_whitespace().collect()
    }

    #[rstest]
    #[case("sleep")]
    #[case("sleep --ignore-term")]
    #[case("lines 3 --stay")]
    #[case("--stay lines --every 100 30 --stderr-too")]
    #[case("bytes --stay")]
    #[case("flood 2")]
    #[case("exit 255")]
    fn words_of_the_program_are_accepted(#[case] words: &str) {
        assert_eq!(check_program_words(&split(words)), Ok(()));
    }

    #[rstest]
    #[case::command("linse 3 --stay", "`/probe` has no command `linse`", "one of `lines`, ")]
    #[case::none("--stay", "`/probe` is given no command", "one of `sleep`, ")]
    #[case::flag(
        "lines 3 --sty",
        "the command `lines` of `/probe` does not take `--sty`",
        "one of `--stay`, "
    )]
    #[case::flag_first(
        "lines --evry 1",
        "the command `lines` of `/probe` does not take `--evry`",
        "one of `--every`, "
    )]
    #[case::no_number(
        "lines --stay",
        "the command `lines` of `/probe` lacks its number",
        "a count of lines"
    )]
    #[case::word(
        "lines three",
        "the command `lines` of `/probe` does not take `three`",
        "a count of lines"
    )]
    #[case::no_value(
        "lines 3 --every",
        "the command `lines` of `/probe` does not take ``",
        "a number behind `--every`"
    )]
    #[case::large(
        "exit 256",
        "the command `exit` of `/probe` does not take `256`",
        "a status from 0 to 255"
    )]
    #[case::second(
        "bytes 3",
        "the command `bytes` of `/probe` does not take `3`",
        "one of `--stay`, "
    )]
    fn other_words_are_refused_with_the_nearest(
        #[case] words: &str,
        #[case] problem: &str,
        #[case] expected: &str,
    ) {
        let refused = check_program_words(&split(words)).expect_err("the program refuses it");
        assert_eq!(refused.problem, problem);
        assert!(refused.expected.starts_with(expected), "{}", refused.expected);
    }

    // The documentation of the program is the source: each row of its table is a command that this
    // table knows, with the flags that the row has.
    #[test]
    fn the_table_has_what_the_program_documents() {
        let source = include_str!("../../../../fixtures/images/program/main.rs");
        let rows =
            source.lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
        let rows: Vec<_> = rows.collect();
        let known: Vec<_> = COMMANDS.iter().map(|command| command.word).collect();
        let documented: Vec<_> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
        assert_eq!(documented, known);
        for (row, command) in rows.iter().zip(&COMMANDS) {
            let flags = row.split(['[', ']', ' ']).filter(|word| word.starts_with("--"));
            let flags: std::collections::BTreeSet<_> = flags.collect();
            let ours = command.flags.iter().chain(command.options).copied().collect();
            assert_eq!(flags, ours, "{row}");
            assert_eq!(row.contains(" N"), command.number.is_some(), "{row}");
        }
        assert!(FLAGS.iter().all(|flag| source.contains(&format!("`{flag}`"))));
    }
}
