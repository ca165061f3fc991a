//! Reads a journal of format 1, and compares the records with those of today's format.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "each test reads one kind of record")]

use racetrap_history::{
    Exit, GateName, LogEvent, Phase, Point, ProcessState, Record, ReviewOutcome, StatusCount,
    Steps, What, WireSide, WireWhat, journal,
};

const FORMAT_1: &str = include_str!("journals/format-1.jsonl");

fn records() -> Vec<Record> {
    let journal = journal::read(FORMAT_1.as_bytes()).unwrap();
    assert_eq!(journal.torn, None);
    journal.records
}

/// What `of` returns for each record, in order.
fn all<T>(of: impl Fn(What) -> Option<T>) -> Vec<T> {
    records().into_iter().filter_map(|record| of(record.what)).collect()
}

#[test]
fn its_header_has_todays_format_and_the_steps() {
    let records = records();
    let What::Run(header) = &records[0].what else { panic!("it begins with its header") };
    assert_eq!(header.format, journal::FORMAT);
    let steps = Steps::from_history(&records);
    let begun: Vec<_> = records.iter().filter_map(|record| steps.begun(record)).collect();
    assert_eq!(begun[0], steps.get(0).unwrap());
    // For a record of the neighbour, the step is the one that is carried out on the neighbour.
    assert_eq!(Some(begun[1]), steps.get(1).unwrap().for_neighbour());
}

#[test]
fn texts_about_messages_become_values_of_closed_types() {
    let events = all(|what| match what {
        What::Wire(message) | What::ApiWire(message) => Some(message.event),
        _ => None,
    });
    assert!(matches!(events[0], WireWhat::Request { phase: Phase::Bootstrap, .. }));
    assert!(matches!(events[1], WireWhat::Held { point: Point::Response, .. }));
    assert!(matches!(events[2], WireWhat::Malformed { side: WireSide::Client, .. }));
    assert!(matches!(events[3], WireWhat::Malformed { side: WireSide::Upstream, .. }));
}

// In format 1 the outcome is a text around the gate's name. The name here contains a word of that text, so
// the parser must not split at it.
#[test]
fn texts_about_reviews_become_outcomes() {
    let outcomes = all(|what| match what {
        What::Review(review) => Some(review.outcome),
        _ => None,
    });
    let gate = |name: &str| GateName(name.to_owned());
    let expected = [
        ReviewOutcome::Allowed,
        ReviewOutcome::Denied,
        ReviewOutcome::HeldAt(gate("a gate at work")),
        ReviewOutcome::ReleasedFrom(gate("a gate at work")),
        ReviewOutcome::GivenUpAt(gate("g")),
    ];
    assert_eq!(outcomes, expected);
}

// Format 1 did not record which signal ended a command, so that stays unknown.
#[test]
fn texts_about_exits_become_values() {
    let commands = all(|what| match what {
        What::Command(run) => Some(run.exit),
        What::UserCommand(command) => command.end.map(|end| end.exit),
        _ => None,
    });
    let unknown = |why: &str| Exit::Unknown(why.to_owned());
    let expected = [Exit::Code(4), unknown("a signal ended it"), Exit::TimedOut, Exit::Code(1)];
    assert_eq!(commands, expected);
    let deaths = all(|what| match what {
        What::Process { state: ProcessState::Died { exit }, .. } => Some(exit),
        _ => None,
    });
    let lost = unknown("how is not known, for it is no child of the harness");
    assert_eq!(deaths, [Exit::Signal(6), Exit::Code(3), Exit::Code(137), lost]);
}

#[test]
fn clients_of_logs_are_counted_by_status() {
    let answers = all(|what| match what {
        What::LogCrowd(crowd) => Some(crowd.answers),
        _ => None,
    });
    let count = |(status, clients)| StatusCount { status, clients };
    assert_eq!(answers, [[(101, 9), (500, 1)].map(count)]);
    let broken = all(|what| match what {
        What::LogClient(client) => match client.event {
            LogEvent::Ended { not_utf8, .. } => Some(not_utf8),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(broken, [false, true]);
}
