//! The harness's admission inside the daemon's own API server: writes of its controllers are held
//! and denied, and the history tells of each.

use std::io::BufReader;

use racetrap_history::{Change, GateName, Record, ReviewOutcome, What, journal};

use crate::place::Place;

/// The first status of the App is denied to its controller, which must try again. Then the engine
/// controller's creation of a mirror is held while a user writes the App.
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

fn run(place: &Place) -> Vec<Record> {
    let file = place.path().join("admission.yaml");
    std::fs::write(&file, SCHEDULE).unwrap();
    let output = place.run(&["run", file.to_str().unwrap(), "--keep"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let journal = std::fs::File::open(place.evidence().unwrap().join("journal.jsonl")).unwrap();
    journal::read(BufReader::new(journal)).unwrap().records
}

/// Where in the history this is, after another place in it.
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

// The order of the records proves the hold: the App's change is stored and seen after the mirror's
// creation was reviewed, and the mirror is stored after its release alone. The denial proves itself:
// a run in which it does not happen is unknown, and the App has a status only because of the retry.
#[test]
fn writes_of_the_daemons_own_controllers_are_denied_and_held() {
    let place = Place::new();
    let records = run(&place);
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
