//! Reads a scenario from YAML, and says where and why a text is none.
//!
//! Three things are checked in this order: that the text is YAML of the scenario language, that the
//! schedule can be carried out ([`Scenario::check`]), and that a file which does not describe its
//! finding itself names one of the catalogue. Each error shows the line and what was expected.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use miette::{NamedSource, SourceSpan};
use racetrap_history::{Scenario, ScheduleError, Side, Step};
use racetrap_wire::Dialect;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_yaml::{Location, MessageFormatter as _, Options, Spanned};

use crate::catalogue::{Catalogue, nearest};

/// Largest scenario that is read, in bytes.
pub const SIZE_MAX: u64 = 1024 * 1024;

/// A file that holds no scenario.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ScenarioFileError {
    /// It could not be read.
    #[error("{} could not be read", path.display())]
    #[diagnostic(help("name a file that exists, or an entry that `racetrap list` shows"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is larger than [`SIZE_MAX`].
    #[error("{} is larger than {SIZE_MAX} bytes", path.display())]
    #[diagnostic(help("a scenario is a short text; is this the right file?"))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It was read, but is no scenario.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Box<Invalid>),
}

/// A text that is no scenario, and the place that says so.
#[derive(Debug)]
pub struct Invalid {
    problem: String,
    expected: String,
    help: Option<String>,
    text: NamedSource<String>,
    at: SourceSpan,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Invalid {}

impl miette::Diagnostic for Invalid {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let label = miette::LabeledSpan::new_with_span(Some(self.expected.clone()), self.at);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Reads the scenario in `path`; one that does not describe its finding inherits the catalogue's
/// description.
///
/// # Errors
/// A file that cannot be read, is too large, or holds no scenario.
pub fn read(path: &Path, catalogue: &Catalogue) -> Result<Scenario, ScenarioFileError> {
    let bytes = load(path)?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| not_text(&name, error.as_bytes()))?;
    let mut scenario = parse(&name, &text)?;
    if scenario.about.is_none() {
        let entry = catalogue
            .get(&scenario.finding)
            .ok_or_else(|| unknown_finding(&name, &text, &scenario, catalogue))?;
        scenario.about.clone_from(&entry.about);
    }
    Ok(scenario)
}

/// Reads a scenario from `text`, which errors call `name`, and checks its schedule.
///
/// # Errors
/// A text that holds no scenario, or one that cannot be carried out.
pub fn parse(name: &str, text: &str) -> Result<Scenario, Box<Invalid>> {
    let scenario: Scenario = parse_as(name, text)?;
    scenario
        .check()
        .and_then(|()| check_routes(&scenario))
        .map_err(|error| unworkable(name, text, error))?;
    Ok(scenario)
}

/// Reads `text`, which errors call `name`, and checks nothing else.
pub(crate) fn parse_as<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Box<Invalid>> {
    serde_yaml::from_str_with_options(text, options())
        .map_err(|error| not_a_scenario(name, text, &error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only some steps name a route")]
/// A route that the wire does not know would fit no message, and nobody would notice.
fn check_routes(scenario: &Scenario) -> Result<(), ScheduleError> {
    for (index, step) in scenario.steps.iter().enumerate() {
        let (side, on) = match step {
            Step::Hold(hold) => (hold.wire, &hold.on),
            Step::Fault(fault) => (fault.wire, &fault.on),
            Step::Answer { on, .. } | Step::Record { on, .. } => (Side::Engine, on),
            _ => continue,
        };
        let known = match side {
            Side::Engine | Side::User => Dialect::Docker.routes(),
            Side::Api => Dialect::Kubernetes.routes(),
        };
        if let Some(route) = on.route.as_deref().filter(|route| !known.contains(route)) {
            let near = nearest(route, known.iter().copied());
            let near = near.into_iter().take(3).collect::<Vec<_>>().join(", ");
            let expected = format!("a route template of the engine's API, such as {near}");
            return Err(ScheduleError::new(
                index,
                format!("there is no route `{route}`"),
                expected,
            ));
        }
    }
    Ok(())
}

fn load(path: &Path) -> Result<Vec<u8>, ScenarioFileError> {
    let unreadable = |source| ScenarioFileError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(SIZE_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(ScenarioFileError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

fn options() -> Options {
    serde_yaml::options! { with_snippet: false, strict_booleans: true }
}

/// Where the parts of a scenario stand in its text.
#[derive(Deserialize)]
struct Places {
    finding: Spanned<IgnoredAny>,
    steps: Spanned<Vec<Spanned<IgnoredAny>>>,
}

fn places(text: &str) -> Option<Places> {
    serde_yaml::from_str_with_options(text, options()).ok()
}

fn not_text(name: &str, bytes: &[u8]) -> Box<Invalid> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    // What precedes the first bad byte is the same in both, and the byte became this character.
    let at = text.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
    Box::new(Invalid {
        problem: "the file is not UTF-8".to_owned(),
        expected: "a byte that begins or continues no character".to_owned(),
        help: Some("save the file as UTF-8".to_owned()),
        text: NamedSource::new(name, text),
        at: (at, char::REPLACEMENT_CHARACTER.len_utf8()).into(),
    })
}

fn unworkable(name: &str, text: &str, error: ScheduleError) -> Box<Invalid> {
    let places = places(text);
    let step = places.as_ref().and_then(|places| places.steps.value.get(error.step));
    let place = step.map(|step| step.referenced);
    Box::new(Invalid {
        problem: error.problem,
        expected: format!("expected {}", error.expected),
        help: step.map(|_| format!("this is step {}", error.step + 1)),
        text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
        at: line_at(text, place.or(places.map(|places| places.steps.referenced))),
    })
}

fn unknown_finding(
    name: &str,
    text: &str,
    scenario: &Scenario,
    catalogue: &Catalogue,
) -> Box<Invalid> {
    let known = nearest(scenario.finding.as_str(), catalogue.ids().map(|id| id.as_str()));
    Box::new(Invalid {
        problem: format!("no finding `{}` is known", scenario.finding),
        expected: "expected an id of the catalogue".to_owned(),
        help: Some(format!(
            "the nearest that the catalogue has are {}; a finding that it does not have needs an \
             `about` of its own",
            known.into_iter().take(3).collect::<Vec<_>>().join(", ")
        )),
        text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
        at: line_at(text, places(text).map(|places| places.finding.referenced)),
    })
}

fn not_a_scenario(name: &str, text: &str, error: &serde_yaml::Error) -> Box<Invalid> {
    let error = error.without_snippet();
    let Complaint { problem, expected, help } = Complaint::of(error, text);
    Box::new(Invalid {
        problem,
        expected,
        help,
        text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
        at: line_at(text, error.location()),
    })
}

/// A parser's error in the words of the scenario language.
struct Complaint {
    problem: String,
    expected: String,
    help: Option<String>,
}

impl Complaint {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser has dozens of errors; all but these say what is wrong by themselves"
    )]
    fn of(error: &serde_yaml::Error, text: &str) -> Self {
        use serde_yaml::Error;
        let new = |problem: String, expected: &str, help: Option<String>| Self {
            problem,
            expected: expected.to_owned(),
            help,
        };
        if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
            let help = "a scenario has at least `finding` and `steps`".to_owned();
            return new("the file is empty".to_owned(), "expected a scenario", Some(help));
        }
        match error {
            Error::SerdeUnknownField { field, expected, .. } => {
                let known = nearest(field, expected.iter().copied());
                let help = format!("known here: {}", known.join(", "));
                new(format!("unknown key `{field}`"), "expected another key", Some(help))
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                let known = nearest(variant, expected.iter().copied());
                let help = format!("known here: {}", known.join(", "));
                new(format!("unknown name `{variant}`"), "expected another name", Some(help))
            }
            Error::SerdeMissingField { field, .. } => {
                let problem = format!("key `{field}` is missing");
                new(problem, &format!("expected `{field}` in here"), None)
            }
            Error::SerdeInvalidType { unexpected, expected, .. }
            | Error::SerdeInvalidValue { unexpected, expected, .. } => {
                new(format!("wrong type: {unexpected}"), &format!("expected {expected}"), None)
            }
            Error::Unexpected { expected, .. } => {
                let expected = match *expected {
                    "sequence start" => "a list",
                    "mapping start" => "keys and their values",
                    other => other,
                };
                new("wrong type".to_owned(), &format!("expected {expected}"), None)
            }
            Error::DuplicateMappingKey { key, .. } => {
                let key = key.as_ref().map(|key| format!(" `{key}`")).unwrap_or_default();
                new(format!("key{key} stands here twice"), "expected each key once", None)
            }
            Error::InvalidScalar { ty, .. } => {
                new("wrong type".to_owned(), &format!("expected {ty}"), None)
            }
            Error::InvalidBooleanStrict { .. } => {
                new("wrong type".to_owned(), "expected `true` or `false`", None)
            }
            Error::MultipleDocuments { .. } => {
                let help = "put each scenario into a file of its own".to_owned();
                let problem = "the file holds several documents".to_owned();
                new(problem, "expected the end of the file before this", Some(help))
            }
            other => {
                let said = serde_yaml::DefaultMessageFormatter.format_message(other).into_owned();
                new(said, "here", None)
            }
        }
    }
}

/// The line in which a place is, from the place on; the text's first line, if it is unknown.
fn line_at(text: &str, place: Option<Location>) -> SourceSpan {
    let start = place.and_then(|place| offset(text, &place)).unwrap_or_default();
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    (start, line.trim_end().len()).into()
}

/// Where a place is in the text, in bytes. The parser tells bytes where it can, and otherwise line
/// and character, both from 1.
fn offset(text: &str, place: &Location) -> Option<usize> {
    if let Some(offset) = place.span().byte_offset() {
        return usize::try_from(offset).ok().filter(|offset| text.is_char_boundary(*offset));
    }
    let before = usize::try_from(place.line()).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let column = usize::try_from(place.column()).ok()?.checked_sub(1)?;
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    let within = line.char_indices().nth(column).map_or(line.len(), |(index, _)| index);
    Some(start + within)
}

#[cfg(test)]
mod tests;
