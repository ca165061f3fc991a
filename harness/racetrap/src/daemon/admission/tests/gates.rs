//! Gates and guards: what stands at them, and what is told of it.

use std::time::Duration;

use racetrap_history::WriteMatch;

use super::{LIMIT, named, outcomes, recorder, within, write};
use crate::daemon::admission::gate::Desk;

// The write is judged in the same task as its release is: it is known to stand when `reached`
// returns, and another write must pass meanwhile.
#[tokio::test]
async fn a_write_stands_at_its_gate_until_it_is_released() {
    let (_place, recorder) = recorder();
    let desk = Desk::new(&recorder);
    let gate = desk.hold("g", named("v"));
    let (held, other) = (write("v"), write("w"));
    let scenario = async {
        gate.reached(LIMIT).await.unwrap();
        assert_eq!(desk.judge(&other).await, Ok(()));
        assert_eq!(outcomes(&recorder), ["v: held at g", "w: allowed"]);
        gate.release();
    };
    let (judged, ()) = within(async { tokio::join!(desk.judge(&held), scenario) }).await;
    assert_eq!(judged, Ok(()));
    assert_eq!(outcomes(&recorder), ["v: held at g", "w: allowed", "v: released from g"]);
}

// The future is dropped, as the server does when the API server closes the connection. A gate that
// was reached stays so, and the reader of the history is told that nothing stands there any more.
#[tokio::test]
async fn a_write_that_is_given_up_is_told_of() {
    let (_place, recorder) = recorder();
    let desk = Desk::new(&recorder);
    let gate = desk.hold("g", named("v"));
    let held = write("v");
    tokio::select! {
        biased;
        _ = desk.judge(&held) => panic!("nothing releases it"),
        reached = gate.reached(LIMIT) => reached.unwrap(),
    }
    assert_eq!(outcomes(&recorder), ["v: held at g", "v: given up at g"]);
    gate.reached(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_gate_that_is_dropped_holds_nothing_any_more() {
    let (_place, recorder) = recorder();
    let desk = Desk::new(&recorder);
    drop(desk.hold("g", WriteMatch::default()));
    assert_eq!(within(desk.judge(&write("v"))).await, Ok(()));
    assert_eq!(outcomes(&recorder), ["v: allowed"]);
}

// What came before the arming is not what was seen in vain.
#[tokio::test]
async fn a_gate_that_nothing_reaches_tells_what_went_by() {
    let (_place, recorder) = recorder();
    let desk = Desk::new(&recorder);
    desk.judge(&write("u")).await.unwrap();
    let gate = desk.hold("g", named("v"));
    let soon = Duration::from_millis(1);
    let vain = gate.reached(soon).await.unwrap_err().to_string();
    assert!(vain.ends_with("for a write at gate `g`; last seen: no write at all"), "{vain}");
    desk.judge(&write("w")).await.unwrap();
    let vain = gate.reached(soon).await.unwrap_err().to_string();
    let seen = "1 other writes, the last one UPDATE volumes/status w by engine-controller";
    assert!(vain.ends_with(&format!("last seen: {seen}")), "{vain}");
}

#[tokio::test]
async fn a_guard_denies_while_it_lives_and_tells_whether_it_has() {
    let (_place, recorder) = recorder();
    let desk = Desk::new(&recorder);
    let guard = desk.deny("d", named("v"), None);
    desk.judge(&write("w")).await.unwrap();
    assert!(!guard.fired());
    assert_eq!(desk.judge(&write("v")).await, Err("d".to_owned()));
    assert!(guard.fired());
    drop(guard);
    assert_eq!(desk.judge(&write("v")).await, Ok(()));
    assert_eq!(outcomes(&recorder), ["w: allowed", "v: denied", "v: allowed"]);
}
