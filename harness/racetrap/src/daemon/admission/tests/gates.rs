//! Gates and guards: which writes they hold or deny, and what the history records about it.

use std::time::Duration;

use racetrap_history::WriteMatch;

use super::{LIMIT, named, outcomes, recorder, within, write};
use crate::daemon::admission::reviewer::Reviewer;

// Review and release run in the same task, so the write is held when `reached` returns. Another
// write must pass meanwhile.
#[tokio::test]
async fn a_gate_holds_a_write_until_it_is_released() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    let gate = reviewer.hold("g", named("v"));
    let (held, other) = (write("v"), write("w"));
    let scenario = async {
        gate.reached(LIMIT).await.unwrap();
        assert_eq!(reviewer.review(&other).await, Ok(()));
        assert_eq!(outcomes(&recorder), ["v: held at g", "w: allowed"]);
        gate.release();
    };
    let (reviewed, ()) = within(async { tokio::join!(reviewer.review(&held), scenario) }).await;
    assert_eq!(reviewed, Ok(()));
    assert_eq!(outcomes(&recorder), ["v: held at g", "w: allowed", "v: released from g"]);
}

// Two writes of one kind are stopped, and the second one goes on first. A write of the command line passes, and
// once nothing is stopped any more, all do.
#[tokio::test]
async fn each_write_of_the_daemon_waits_until_it_is_released() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    let mut each = reviewer.hold_each("serial");
    let (one, two) = (write("v"), write("w"));
    let scenario = async {
        let (first, second) = (each.next().await, each.next().await);
        assert!(first.is_there() && each.try_next().is_none());
        let kind = "serial write UPDATE volumes/status by engine-controller";
        let names = [&first, &second].map(|it| it.name().to_owned());
        assert_eq!(names, [1, 2].map(|number| format!("{kind} {number}")));
        assert_eq!(first.writer(), "engine-controller");
        drop(second);
        tokio::task::yield_now().await;
        drop(first);
    };
    let (one, two, ()) =
        within(async { tokio::join!(reviewer.review(&one), reviewer.review(&two), scenario) })
            .await;
    assert_eq!((one, two), (Ok(()), Ok(())));
    let seen = outcomes(&recorder);
    let left: Vec<_> =
        seen.iter().filter(|it| it.contains("released")).map(|it| &it[..2]).collect();
    assert_eq!(left, ["w:", "v:"], "{seen:?}");
    drop(each);
    assert_eq!(within(reviewer.review(&write("u"))).await, Ok(()));
}

// The test drops the future, as the server does when the API server closes the connection. The gate
// must stay reached, and the history must show that it holds nothing any more.
#[tokio::test]
async fn a_write_that_is_given_up_is_recorded() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    let gate = reviewer.hold("g", named("v"));
    let held = write("v");
    tokio::select! {
        biased;
        _ = reviewer.review(&held) => panic!("nothing releases it"),
        reached = gate.reached(LIMIT) => reached.unwrap(),
    }
    assert_eq!(outcomes(&recorder), ["v: held at g", "v: given up at g"]);
    gate.reached(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_gate_that_is_dropped_holds_nothing_any_more() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    drop(reviewer.hold("g", WriteMatch::default()));
    assert_eq!(within(reviewer.review(&write("v"))).await, Ok(()));
    assert_eq!(outcomes(&recorder), ["v: allowed"]);
}

// Writes before the arming must not be in the error.
#[tokio::test]
async fn the_error_of_an_unreached_gate_describes_the_writes_that_passed() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    reviewer.review(&write("u")).await.unwrap();
    let gate = reviewer.hold("g", named("v"));
    let soon = Duration::from_millis(1);
    let error = gate.reached(soon).await.unwrap_err().to_string();
    assert!(error.ends_with("for a write at gate `g`; last seen: no write at all"), "{error}");
    reviewer.review(&write("w")).await.unwrap();
    let error = gate.reached(soon).await.unwrap_err().to_string();
    let seen = "1 other writes, the last one UPDATE volumes/status w by engine-controller";
    assert!(error.ends_with(&format!("last seen: {seen}")), "{error}");
}

#[tokio::test]
async fn a_guard_denies_until_it_is_dropped_and_knows_whether_it_fired() {
    let (_place, recorder) = recorder();
    let reviewer = Reviewer::new(&recorder);
    let guard = reviewer.deny("d", named("v"), None);
    reviewer.review(&write("w")).await.unwrap();
    assert!(!guard.fired());
    assert_eq!(reviewer.review(&write("v")).await, Err("d".to_owned()));
    assert!(guard.fired());
    drop(guard);
    assert_eq!(reviewer.review(&write("v")).await, Ok(()));
    assert_eq!(outcomes(&recorder), ["w: allowed", "v: denied", "v: allowed"]);
}
