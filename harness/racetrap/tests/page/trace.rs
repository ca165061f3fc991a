//! `trace.json` by the rules of its viewers.

use std::collections::BTreeMap;

use racetrap::timeline::trace;
use racetrap_history::{Record, judge};
use rstest::rstest;
use serde_json::Value;

use crate::histories::{PLAIN, gap, long};

// A viewer matches an end with the last open beginning of the same track, and expects ascending
// times. So a stack for each track must have an element for each end, must be empty at the last
// event, and times must not go back.
#[rstest]
#[case::short(gap(PLAIN))]
#[case::long_and_cut_off(long(3_000))]
fn every_beginning_has_an_end_and_times_ascend_on_each_track(#[case] history: Vec<Record>) {
    let text = trace(&history, &judge(&history));
    let json: Value = serde_json::from_str(&text).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let mut tracks: BTreeMap<(u64, u64), (u64, Vec<&str>)> = BTreeMap::new();
    let (mut bars, mut marks) = (0, 0);
    for event in events.iter().filter(|event| event["ph"] != "M") {
        let number = |key: &str| event[key].as_u64().unwrap();
        let (last, open) = tracks.entry((number("pid"), number("tid"))).or_default();
        let at = number("ts");
        assert!(*last <= at, "time goes back to {at} from {last}: {event}");
        *last = at;
        match event["ph"].as_str().unwrap() {
            "B" => {
                bars += 1;
                open.push(event["name"].as_str().unwrap());
            }
            "E" => assert!(open.pop().is_some(), "nothing is open: {event}"),
            "i" => marks += 1,
            other => panic!("nobody makes events of kind {other}"),
        }
    }
    let still_open: Vec<_> = tracks.values().flat_map(|(_, open)| open).collect();
    assert!(still_open.is_empty(), "{still_open:?}");
    assert!(bars > 10 && marks > 5, "{bars} bars and {marks} marks");
}

// The bar of the held request must have the times of the two records in the history.
#[test]
fn a_held_message_lasts_from_held_to_released() {
    let history = gap(PLAIN);
    let text = trace(&history, &judge(&history));
    let json: Value = serde_json::from_str(&text).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let begins = |event: &Value| event["cat"] == "held" && event["ph"] == "B";
    let index = events.iter().position(begins).unwrap();
    assert_eq!(events[index]["name"], "HELD at events (request): GET /events");
    let at = |word: &str| {
        let is = |record: &&Record| serde_json::to_string(&record.what).unwrap().contains(word);
        history.iter().find(is).unwrap().at_us
    };
    assert_eq!(events[index]["ts"], at("\"held\""));
    assert_eq!(events[index + 1]["ph"], "E");
    assert_eq!(events[index + 1]["ts"], at("\"released\""));
}

// Each lane is a process of the trace with a name, in the order of the page.
#[test]
fn lanes_are_named_in_their_order() {
    let history = gap(PLAIN);
    let text = trace(&history, &judge(&history));
    let json: Value = serde_json::from_str(&text).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let named = events.iter().filter(|event| event["name"] == "process_name");
    let names: Vec<_> = named.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    let expected =
        ["verdict", "steps", "wire", "engine", "mirrors", "API", "conditions", "processes", "log"];
    assert_eq!(names, expected);
}
