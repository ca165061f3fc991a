//! Standard output has data only, and standard error messages only, of the promised form and level
//! (contract 1.1.1 to 1.1.4).

use serde_json::Value;

use crate::record::CommandRun;

/// Commands whose standard output is data.
const WITH_DATA: [&[&str]; 9] = [
    &["limavm", "list"],
    &["limavm", "log"],
    &["limavm", "logs"],
    &["limavm", "shell"],
    &["svc", "config"],
    &["svc", "log"],
    &["svc", "paths"],
    &["svc", "serve"],
    &["version"],
];

/// Options that make a command print a text about itself.
const ABOUT_ITSELF: [&str; 3] = ["--help", "-h", "--version"];

/// Commands that print a text about the program, and groups of commands, which print one about themselves.
const ABOUT: [&str; 2] = ["help", "completion"];
const GROUPS: [&str; 2] = ["svc", "limavm"];

/// Levels of messages that are not shown unless the caller asks for them.
const QUIET: [&str; 3] = ["info", "debug", "trace"];

/// What `--log-level` may be.
const LEVELS: [&str; 7] = ["fatal", "error", "warn", "warning", "info", "debug", "trace"];

/// Why the command refuses its options, before it looks at anything else: a level that there is not, or
/// the name of an instance that is not the first argument.
pub(super) fn refusal(command: &CommandRun) -> Option<&'static str> {
    let mut words = command.arguments.iter();
    let level = words.find_map(|argument| argument.strip_prefix("--log-level="));
    if level.is_some_and(|level| !LEVELS.contains(&level)) {
        return Some("a level that there is not");
    }
    let mut behind = command.arguments.iter().skip(1);
    behind
        .any(|argument| argument.starts_with("--instance="))
        .then_some("an instance behind the command")
}

pub(super) fn judge(command: &CommandRun, words: &[&str]) -> Option<String> {
    let has = |option: &str| command.arguments.iter().any(|argument| argument.starts_with(option));
    let is_about = match words {
        [] => true,
        [group] if GROUPS.contains(group) => true,
        [first, ..] => ABOUT.contains(first),
    };
    if is_about || ABOUT_ITSELF.iter().any(|option| has(option)) {
        return None;
    }
    let has_data = WITH_DATA.iter().any(|data| words.starts_with(data)) || words == ["defects"];
    if !has_data && !command.stdout.is_empty() {
        return Some(format!("printed on its standard output: {}", command.stdout.trim()));
    }
    let is_json = has("--log-format");
    let shows_all = has("--log-level") || words.starts_with(&["svc", "status"]);
    // A message of clap or cobra about wrong usage may have several lines.
    let usage = command.exit.code() == Some(1);
    command.stderr.lines().filter(|line| !line.is_empty()).find_map(|line| {
        match level(line, is_json) {
            None if usage => None,
            None => Some(format!("wrote a line that is no message: {line}")),
            Some(level) if QUIET.contains(&level.as_str()) && !shows_all => {
                Some(format!("showed a message of level {level} unasked: {line}"))
            }
            Some(_) => None,
        }
    })
}

/// The level of a message; `None` if the line is none.
fn level(line: &str, is_json: bool) -> Option<String> {
    if is_json {
        let message: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| message.get(key)?.as_str();
        text("msg").and(text("time"))?;
        return text("level").map(str::to_owned);
    }
    // Libraries of the daemon write lines of klog. Their level is not the daemon's to choose: what they call
    // info may be a warning in words.
    let is_klog = line.get(1..5).is_some_and(|date| date.bytes().all(|it| it.is_ascii_digit()));
    if is_klog && line.contains("] ") {
        return Some("library".to_owned());
    }
    let rest = line.strip_prefix("time=\"")?.split_once("\" level=")?.1;
    let (level, rest) = rest.split_once(' ')?;
    rest.starts_with("msg=").then(|| level.to_owned())
}

/// The text of a message in one of the two forms; `None` if the line is none.
pub(super) fn message(line: &str) -> Option<String> {
    if let Ok(object) = serde_json::from_str::<Value>(line) {
        return object.get("msg")?.as_str().map(str::to_owned);
    }
    let quoted = line.split_once(" msg=")?.1;
    // A message that is one word has no quotes.
    let Some(quoted) = quoted.strip_prefix('"') else { return Some(quoted.to_owned()) };
    Some(quoted.strip_suffix('"')?.replace("\\\"", "\""))
}
