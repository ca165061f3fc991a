//! Lines of the files beside a page: that of a step in the schedule, and that of a record in a log.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::jiff::Timestamp;
use racetrap_history::{Record, What};

/// The lines, from 1, on which the steps of a schedule begin. Empty if the schedule does not have
/// this many steps: then it is not the one that was run.
///
/// The harness writes the schedule itself, with each step as an entry of the list `steps`, in the
/// first column.
pub(super) fn step_lines(yaml: &str, steps: usize) -> Vec<usize> {
    let numbered = (1..).zip(yaml.lines());
    let of_steps = numbered.skip_while(|(_, line)| *line != "steps:").skip(1);
    let of_steps = of_steps.take_while(|(_, line)| line.starts_with(['-', ' ']));
    let begun = of_steps.filter(|(_, line)| line.starts_with("- "));
    let lines: Vec<_> = begun.map(|(number, _)| number).collect();
    if lines.len() == steps { lines } else { Vec::new() }
}

/// The line, from 1, of each record of the daemon's log in `text`.
///
/// A log that was rotated has only the last lines of a run, so records and lines are compared from
/// the end. A record without an equal line, such as one whose line is masked later, has none.
pub(super) fn log_lines(history: &[Record], text: &str) -> BTreeMap<u64, usize> {
    let mut by_text: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        by_text.entry(line).or_default().push(number);
    }
    let mut found = BTreeMap::new();
    let mut next = usize::MAX;
    for record in history.iter().rev().filter(|record| !record.neighbour) {
        let What::Log { text, .. } = &record.what else { continue };
        let Some(numbers) = by_text.get_mut(text.as_str()) else { continue };
        // Lines after the record that follows belong to later records.
        while numbers.last().is_some_and(|number| *number >= next) {
            numbers.pop();
        }
        if let Some(number) = numbers.pop() {
            found.insert(record.seq, number);
            next = number;
        }
    }
    found
}

/// The lines of an engine's log that begin with their time, as microseconds since the run began,
/// with their numbers from 1.
pub(super) fn engine_lines(text: &str, began_us: i64) -> Vec<(i64, usize)> {
    let timed = (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (time, _) = line.strip_prefix("time=\"")?.split_once('"')?;
        let time: Timestamp = time.parse().ok()?;
        Some((time.as_microsecond() - began_us, number))
    });
    let mut timed: Vec<_> = timed.collect();
    // Threads of the engine write their lines in nearly this order.
    timed.sort_unstable();
    timed
}

/// The calendar time at which the run's clock was zero, in microseconds since 1970, and whether it is
/// exact to the millisecond. Older journals have only the second.
pub(super) fn began(history: &[Record]) -> Option<(i64, bool)> {
    let first = history.iter().find(|record| matches!(record.what, What::Run(_)))?;
    let What::Run(header) = &first.what else { return None };
    let started: Timestamp = header.started.parse().ok()?;
    let before = i64::try_from(first.at_us).ok()?;
    Some((started.as_microsecond() - before, header.started.contains('.')))
}

#[cfg(test)]
mod tests {
    use racetrap_history::LogLevel;
    use rstest::rstest;

    use super::*;

    const SCHEDULE: &str = "finding: 1-A\nabout:\n  covers:\n  - 1-B\nneeds: {}\nsteps:\n- app:\n    running: true\n\
                            - settle\n";

    #[rstest]
    #[case::all_steps(SCHEDULE, 2, &[7, 9])]
    #[case::another_schedule(SCHEDULE, 3, &[])]
    #[case::no_schedule("not a schedule", 0, &[])]
    fn a_step_has_the_line_on_which_it_begins(
        #[case] yaml: &str,
        #[case] steps: usize,
        #[case] expected: &[usize],
    ) {
        assert_eq!(step_lines(yaml, steps), expected);
    }

    fn logged(lines: &[&str]) -> Vec<Record> {
        let records = lines.iter().enumerate().map(|(index, line)| Record {
            seq: index as u64,
            at_us: 0,
            neighbour: false,
            what: What::Log { level: LogLevel::Info, text: (*line).to_owned() },
        });
        records.collect()
    }

    // A letter is a line of the log, and the expected numbers are those of the records that have one.
    #[rstest]
    #[case::whole("abc", "abc", &[(0, 1), (1, 2), (2, 3)])]
    #[case::lines_that_were_not_recorded("ac", "abcd", &[(0, 1), (1, 3)])]
    #[case::rotated("abab", "ab", &[(2, 1), (3, 2)])]
    #[case::masked_later("axc", "abc", &[(0, 1), (2, 3)])]
    #[case::another_order("ba", "ab", &[(1, 1)])]
    fn a_record_of_the_log_has_its_line(
        #[case] records: &str,
        #[case] log: &str,
        #[case] expected: &[(u64, usize)],
    ) {
        let texts = |letters: &str| letters.chars().map(String::from).collect::<Vec<_>>();
        let records = texts(records);
        let records: Vec<_> = records.iter().map(String::as_str).collect();
        let found = log_lines(&logged(&records), &texts(log).join("\n"));
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lines_of_the_engine_are_on_the_clock_of_the_run() {
        let log = "canary\ntime=\"2026-01-01T00:00:02.5Z\" level=info\nno time\n\
                   time=\"2026-01-01T00:00:01.000001Z\" level=info\n";
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let lines = engine_lines(log, began.as_microsecond());
        assert_eq!(lines, [(1_000_001, 4), (2_500_000, 2)]);
    }
}
