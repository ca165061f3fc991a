//! The YAML parser's errors in the words of the scenario language.

use racetrap_history::nearest;
use serde_yaml::MessageFormatter as _;

use super::parse::Kind;

/// A parser's error in the words of the scenario language.
pub(crate) struct Complaint {
    pub(crate) problem: String,
    pub(crate) expected: String,
    pub(crate) help: Option<String>,
}

impl Complaint {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser has dozens of errors; all but these say what is wrong by themselves"
    )]
    pub(super) fn new(error: &serde_yaml::Error, text: &str, kind: Kind) -> Self {
        use serde_yaml::Error;
        let new = |problem: String, expected: &str, help: Option<String>| Self {
            problem,
            expected: expected.to_owned(),
            help,
        };
        if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
            let (expected, help) = match kind {
                Kind::Scenario => {
                    ("expected a scenario", "a scenario has at least `finding` and `steps`")
                }
                Kind::Known => ("expected a list of known failures", "an empty list is `[]`"),
            };
            return new("the file is empty".to_owned(), expected, Some(help.to_owned()));
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
                let help = match kind {
                    Kind::Scenario => "put each scenario into a file of its own",
                    Kind::Known => "put all known failures into one list",
                };
                let help = help.to_owned();
                let problem = "the file holds several documents".to_owned();
                new(problem, "expected the end of the file before this", Some(help))
            }
            Error::UnexpectedValueForUnitEnumVariant { .. } => {
                let help = "write the name alone, such as `- settle`".to_owned();
                new("this name takes no value".to_owned(), "expected nothing here", Some(help))
            }
            Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
                let expected = "expected a name, or a name with its values";
                new("wrong type".to_owned(), expected, None)
            }
            other => {
                let said = serde_yaml::DefaultMessageFormatter.format_message(other).into_owned();
                if said.contains("recursion limit") {
                    let problem = "lists or keys are nested too deeply".to_owned();
                    return new(problem, "expected fewer levels", None);
                }
                new(said, "here", None)
            }
        }
    }
}
