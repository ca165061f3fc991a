//! The summary of a job: the complete result as one page of Markdown, shortened if it is too long.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::annotations::truncate;
use crate::report::case::{Case, State};
use crate::report::known::nothing_shown;
use crate::report::matrix::CONTROL;

/// Maximal length of a summary in bytes. GitHub accepts 1024 KiB per step and shows nothing if it
/// is longer.
pub(crate) const BYTES_MAX: usize = 900_000;

/// Bytes that are reserved for the sentences that say what was left out.
const REST_BYTES: usize = 500;

/// Maximal length of one run's reasons in bytes, so that one run cannot use up the page.
const REASONS_BYTES_MAX: usize = 20_000;

/// A page of limited length that grows by whole pieces.
struct Page {
    text: String,
    bytes_max: usize,
    left_out: usize,
}

impl Page {
    /// Adds a piece if it fits and all pieces before it did.
    fn add(&mut self, piece: &str) {
        if self.left_out > 0 || self.text.len() + piece.len() > self.bytes_max {
            self.left_out += 1;
        } else {
            self.text.push_str(piece);
        }
    }

    /// Ends a part of the page: says how many pieces did not fit, and resets the count.
    fn close(&mut self, what: &str) {
        let left = std::mem::take(&mut self.left_out);
        if left > 0 {
            let _ = writeln!(self.text, "\n_{left} more {what}: there is no room here._");
        }
        self.text.push('\n');
    }
}

/// The trend, a table of all runs, and below it the reasons of each run that is not right; at most `bytes_max`
/// bytes.
pub(crate) fn summary(command: &str, cases: &[Case], trend: &str, bytes_max: usize) -> String {
    let mut page =
        Page { text: String::new(), bytes_max: bytes_max.saturating_sub(REST_BYTES), left_out: 0 };
    page.add(&head(command, cases));
    page.add(trend);
    table(&mut page, cases);
    for case in cases.iter().filter(|case| case.state != State::Right || case.repaired) {
        page.add(&details(case));
    }
    page.close("runs are not right; the evidence and the JUnit file have them");
    page.text.truncate(page.text.trim_end().len());
    page.text.push('\n');
    page.text.truncate(page.text.floor_char_boundary(bytes_max));
    page.text
}

fn head(command: &str, cases: &[Case]) -> String {
    let count = |state| cases.iter().filter(|case| case.state == state).count();
    let (right, wrong) = (count(State::Right), count(State::Wrong));
    let unknown = count(State::Unknown);
    let mut text = format!(
        "## {} racetrap {command}\n\n{right} as they must be, {wrong} wrong, {unknown} unknown",
        sign(cases.iter().map(|case| case.state).max().unwrap_or(State::Right))
    );
    for (state, word) in [(State::Known, "known"), (State::NotApplicable, "not applicable")] {
        let count = count(state);
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    let controls: Vec<_> = cases.iter().filter(|case| case.column == CONTROL).collect();
    if !controls.is_empty() {
        let alarms = controls.iter().filter(|case| case.state == State::Wrong).count();
        let _ = write!(text, "; {alarms} false alarms in {} control runs", controls.len());
    }
    let repaired = cases.iter().filter(|case| case.repaired).count();
    if repaired > 0 {
        let _ = write!(text, "; {repaired} repaired");
    }
    if let Some(nothing) = nothing_shown(cases) {
        let _ = write!(text, "\n\n**{nothing}**");
    }
    text + "\n\n"
}

/// A row per finding and a column per kind of daemon, both in the order of the cases.
fn table(page: &mut Page, cases: &[Case]) {
    let mut columns = Vec::new();
    let mut findings = Vec::new();
    let mut found: BTreeMap<(&str, &str), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        let finding = case.finding.as_str();
        if !columns.contains(&case.column.as_ref()) {
            columns.push(case.column.as_ref());
        }
        let at = found.entry((finding, case.column.as_ref())).or_default();
        at.push(case);
        if at.len() == 1 && !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let titles: String = columns.iter().map(|column| format!(" {column} |")).collect();
    page.add(&format!("| finding |{titles}\n|---|{}\n", "---|".repeat(columns.len())));
    for finding in findings {
        let cells = columns.iter().map(|column| found.get(&(finding, *column)));
        let cells: String = cells.map(|cases| format!(" {} |", cell(cases))).collect();
        page.add(&format!("| {} |{cells}\n", plain(finding)));
    }
    page.close("findings");
}

/// The verdicts of the runs in one cell of the table, with counts if there are several.
fn cell(cases: Option<&Vec<&Case>>) -> String {
    let mut words: Vec<(State, &str, usize)> = Vec::new();
    for case in cases.into_iter().flatten() {
        match words.iter_mut().find(|(state, word, _)| (*state, *word) == (case.state, &case.word))
        {
            Some((.., count)) => *count += 1,
            None => words.push((case.state, &case.word, 1)),
        }
    }
    let words = words.into_iter().map(|(state, word, count)| {
        let times = if count == 1 { String::new() } else { format!("{count} × ") };
        format!("{} {times}{}", sign(state), plain(word))
    });
    words.collect::<Vec<_>>().join("<br>")
}

fn details(case: &Case) -> String {
    let Case { finding, name, word, again, .. } = case;
    let mut reasons = case.reasons.join("\n");
    truncate(&mut reasons, REASONS_BYTES_MAX);
    let head = format!("{} <b>{finding}</b> {}: {}", sign(case.state), plain(name), plain(word));
    let mut text = format!("<details><summary>{head}</summary>\n\n");
    if !reasons.is_empty() {
        text.push_str(&code("text", &reasons));
    }
    text.push_str(&code("sh", again));
    if let Some(evidence) = case.evidence_name() {
        let _ = writeln!(text, "Evidence: <code>{}</code>\n", plain(&evidence));
    }
    text.push_str("</details>\n\n");
    text
}

/// A code block. Its fence is longer than any row of backticks in the text.
fn code(language: &str, text: &str) -> String {
    let rows = text.split(|letter| letter != '`').map(str::len);
    let fence = "`".repeat(rows.max().unwrap_or_default().max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end())
}

/// Escapes a text so that it contains neither HTML nor Markdown and stays in one cell of a table.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => plain.push(' '),
            '&' | '<' | '>' | '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '$' | '@' | '#' => {
                let _ = write!(plain, "&#{};", u32::from(letter));
            }
            letter => plain.push(letter),
        }
    }
    plain
}

fn sign(state: State) -> &'static str {
    match state {
        State::Right => "✅",
        State::NotApplicable => "➖",
        State::Known => "🔶",
        State::Unknown => "❔",
        State::Wrong => "❌",
    }
}
