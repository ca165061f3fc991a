//! The error for a text that is no scenario, with the line that shows it.

use miette::{NamedSource, SourceSpan};
use racetrap_history::{Scenario, ScheduleError, nearest};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_yaml::{Location, Spanned};

use super::complaint::Complaint;
use super::parse::{Kind, options};

/// The longest line that an error shows as a whole, in bytes.
const LINE_BYTES_MAX: usize = 160;

/// The error for a text that is no scenario, with the place that shows it.
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

impl Invalid {
    /// The error with no more of a long line than a terminal shows. The line keeps its number; what is
    /// left out before the place changes the column.
    fn shown(self) -> Box<Self> {
        let text = self.text.inner();
        let at = self.at.offset().min(text.len());
        let start =
            text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |index| index + 1);
        let end =
            text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |index| at + index);
        if end - start <= LINE_BYTES_MAX {
            return Box::new(self);
        }
        let from = text.floor_char_boundary(at.saturating_sub(LINE_BYTES_MAX / 4)).max(start);
        let to = text.floor_char_boundary(at + LINE_BYTES_MAX / 2).min(end).max(at);
        let (before, after) =
            (if from > start { "... " } else { "" }, if to < end { " ..." } else { "" });
        let line = format!("{before}{}{after}", &text[from..to]);
        // A long line may stand beside others, which are shown as its context.
        let short = format!("{}{line}\n", &text[..start]);
        let at = (start + before.len() + at - from, self.at.len().min(to - at)).into();
        let text = NamedSource::new(self.text.name(), short).with_language("yaml");
        Box::new(Self { text, at, ..self })
    }

    /// The error for bytes that are not UTF-8.
    pub(super) fn not_utf8(name: &str, bytes: &[u8]) -> Box<Self> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        // The text before the first bad byte is the same in both strings; the byte itself became
        // this character.
        let at = text.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
        Self::shown(Self {
            problem: "the file is not UTF-8".to_owned(),
            expected: "a byte that begins or continues no character".to_owned(),
            help: Some("save the file as UTF-8".to_owned()),
            text: NamedSource::new(name, text),
            at: (at, char::REPLACEMENT_CHARACTER.len_utf8()).into(),
        })
    }

    /// The error for a schedule that cannot be carried out; shows the line of the step.
    pub(super) fn unworkable(name: &str, text: &str, error: ScheduleError) -> Box<Self> {
        let places = places(text);
        let step = places.as_ref().and_then(|places| places.steps.value.get(error.step));
        let place = step.map(|step| step.referenced);
        Self::shown(Self {
            problem: error.problem,
            expected: format!("expected {}", error.expected),
            help: step.map(|_| format!("this is step {}", error.step + 1)),
            text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
            at: line_at(text, place.or(places.map(|places| places.steps.referenced))),
        })
    }

    /// The error for a finding that has no description; shows its line.
    pub(super) fn unknown_finding<'a>(
        name: &str,
        text: &str,
        scenario: &Scenario,
        known: impl Iterator<Item = &'a str>,
    ) -> Box<Self> {
        let known = nearest(scenario.finding.as_str(), known);
        Self::shown(Self {
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

    /// The error for a value that is not allowed; shows the line at `at`.
    pub(crate) fn at(name: &str, text: &str, at: Location, complaint: Complaint) -> Box<Self> {
        let Complaint { problem, expected, help } = complaint;
        Self::shown(Self {
            problem,
            expected,
            help,
            text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
            at: line_at(text, Some(at)),
        })
    }

    /// The error for a text that the parser refuses.
    pub(super) fn not_of_kind(
        name: &str,
        text: &str,
        kind: Kind,
        error: &serde_yaml::Error,
    ) -> Box<Self> {
        let error = error.without_snippet();
        let Complaint { problem, expected, help } = Complaint::new(error, text, kind);
        Self::shown(Self {
            problem,
            expected,
            help,
            text: NamedSource::new(name, text.to_owned()).with_language("yaml"),
            at: line_at(text, error.location()),
        })
    }
}

/// The positions of the parts of a scenario in its text.
#[derive(Deserialize)]
struct Places {
    finding: Spanned<IgnoredAny>,
    steps: Spanned<Vec<Spanned<IgnoredAny>>>,
}

fn places(text: &str) -> Option<Places> {
    serde_yaml::from_str_with_options(text, options()).ok()
}

/// The rest of the line that begins at `place`; the first line if the place is unknown.
fn line_at(text: &str, place: Option<Location>) -> SourceSpan {
    let start = place.and_then(|place| offset(text, &place)).unwrap_or_default();
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    (start, line.trim_end().len()).into()
}

/// The byte offset of a place in the text. The parser knows the offset of some places, and of
/// others only line and column, both counted from 1.
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
