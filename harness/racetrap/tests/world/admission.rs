//! The harness's admission in the daemon's API server holds and denies writes of the daemon's
//! controllers, and records each review.

use std::io::BufReader;

use racetrap_history::{Change, GateName, Record, ReviewOutcome, What, journal};

use crate::place::Place;

/// The admission denies the first write of the App's status, which the controller must try again.
/// Then it holds the creation of a mirror by the engine controller while a user writes the App.
const SCHEDULE: &str = "
finding: 295-I3
steps:
  - deny_write: {on: {resource: apps/status}, times: 1}
  - app: {running: true}
  - settle
  - hold_write:
      gate: creation
      on: {operation: create, resource: volumes, manager: engine-controller}
  - create_volume: {name: data}
  - reached: creation
  - touch: {times: 1}
  - release: creation
  - settle
";

/// The App is connected, so that its controllers are quiet when messages and writes begin to take turns.
const SERIALLY: &str = "
finding: 295-I3
needs: {reviews: true}
steps:
  - app: {running: true}
  - settle
  - serial: {seed: 7, depth: 2, length: 20}
  - create_volume: {name: data}
  - await: {volume: data}
  - free
  - settle
";

fn run(place: &Place, schedule: &str) -> Vec<Record> {
    let file = place.path().join("admission.yaml");
    std::fs::write(&file, schedule).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let journal = std::fs::File::open(place.evidence().unwrap().join("journal.jsonl")).unwrap();
    journal::read(BufReader::new(journal)).unwrap().records
}

/// The index of the first record from `after` on for which `is` returns `true`.
#[track_caller]
fn position(records: &[Record], after: usize, what: &str, is: impl Fn(&What) -> bool) -> usize {
    let found = records[after..].iter().position(|record| is(&record.what));
    after + found.unwrap_or_else(|| panic!("{what} is not in the history after {after}"))
}

fn review(outcome: ReviewOutcome, resource: &str) -> impl Fn(&What) -> bool + use<'_> {
    move |what| {
        let What::Review(review) = what else { return false };
        review.outcome == outcome && review.resource == resource
    }
}

// The order of the records proves the hold: the API server stores the App's change after the review
// of the mirror's creation, and the mirror only after its release. A denial that did not happen
// would make the run unknown, and the App has a status only because its controller tried again.
#[test]
fn the_admission_denies_and_holds_writes_of_the_daemons_controllers() {
    let place = Place::new();
    let records = run(&place, SCHEDULE);
    let denied = position(&records, 0, "the denial", review(ReviewOutcome::Denied, "apps/status"));
    position(&records, denied, "the retry", review(ReviewOutcome::Allowed, "apps/status"));

    let gate = || GateName("creation".to_owned());
    let held =
        position(&records, denied, "the hold", review(ReviewOutcome::HeldAt(gate()), "volumes"));
    let touched = position(
        &records,
        held,
        "the touch",
        |what| matches!(what, What::Api(change) if change.resource == "apps"),
    );
    let released = review(ReviewOutcome::ReleasedFrom(gate()), "volumes");
    let released = position(&records, touched, "the release", released);
    let stored = position(&records, held, "the mirror", |what| {
        matches!(what, What::Api(change)
            if change.resource == "volumes" && change.change == Change::Added)
    });
    assert!(stored > released, "stored at {stored}, released at {released}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

// The write that creates the mirror is one of those that take turns: it is held when it comes, and the API server
// stores it only after its turn.
#[test]
fn writes_take_turns_with_messages_and_steps() {
    let place = Place::new();
    let records = run(&place, SERIALLY);
    let name = "serial write CREATE volumes by engine-controller 1";
    let held = ReviewOutcome::HeldAt(GateName(name.to_owned()));
    let held = position(&records, 0, "the held write", review(held, "volumes"));
    let is_turn = |what: &What| matches!(what, What::Turn { of } if of == name);
    let turn = position(&records, held, "its turn", is_turn);
    let released = ReviewOutcome::ReleasedFrom(GateName(name.to_owned()));
    let released = position(&records, turn, "its release", review(released, "volumes"));
    let is_stored = |what: &What| {
        matches!(what, What::Api(change)
        if change.resource == "volumes" && change.change == Change::Added)
    };
    let stored = position(&records, held, "the mirror", is_stored);
    assert!(stored > turn && released > turn, "{held}, {turn}, {released}, {stored}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
