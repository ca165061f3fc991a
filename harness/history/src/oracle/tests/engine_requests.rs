//! Requests of a daemon in the promised words and order, and some that are not.

use rstest::rstest;
use serde_json::json;

use super::build::*;
use crate::oracle::engine_requests;
use crate::record::{Exit, ProcessState, UserCommand, UserCommandEnd, What, WireMessage, WireWhat};
use crate::scenario::Phase;

/// A request of the daemon and its answer.
fn asked(exchange: u64, method: &str, target: &str, route: &str) -> [What; 2] {
    let request = WireWhat::Request {
        method: method.to_owned(),
        target: target.to_owned(),
        route: Some(route.to_owned()),
        phase: Phase::Bootstrap,
    };
    [on_wire(exchange, request), on_wire(exchange, WireWhat::Response { status: 200 })]
}

/// What a daemon asks for before it subscribes.
fn bootstrap() -> Vec<What> {
    let requests = [
        ("HEAD", "/_ping", "/_ping"),
        ("HEAD", "/_ping", "/_ping"),
        ("GET", "/v1.41/info", "/info"),
        ("GET", "/v1.41/containers/json?all=1", "/containers/json"),
        ("GET", "/v1.41/images/json?all=1", "/images/json"),
        ("GET", "/v1.41/volumes", "/volumes"),
    ];
    let numbered = requests.iter().zip(1..);
    numbered
        .flat_map(|((method, target, route), number)| asked(number, method, target, route))
        .collect()
}

fn subscribed() -> Vec<What> {
    Vec::from(asked(90, "GET", "/v1.41/events?since=7", "/events"))
}

fn connected() -> What {
    app_is(at_version(9, ready_app(1)))
}

#[rstest]
#[case("GET", "/v1.41/containers/json", "/containers/json", "the promised parameters are `all=1`")]
#[case(
    "DELETE",
    "/v1.41/containers/c",
    "/containers/{id}",
    "the promised parameters are `force=1`"
)]
#[case(
    "DELETE",
    "/v1.41/images/i?force=1",
    "/images/{id}",
    "the promised parameters are `noprune=1`"
)]
#[case(
    "POST",
    "/v1.41/containers/c/stop?t=1",
    "/containers/{id}/stop",
    "the promised parameters are ``"
)]
#[case("GET", "/v1.39/volumes", "/volumes", "not in a version from 1.40 to 1.54")]
#[case("GET", "/volumes", "/volumes", "not in a version from 1.40 to 1.54")]
#[case("HEAD", "/v1.41/_ping", "/_ping", "a ping has no version")]
#[case("GET", "/v1.41/events", "/events", "without `since` in whole seconds")]
fn a_request_has_the_promised_words(
    #[case] method: &str,
    #[case] target: &str,
    #[case] route: &str,
    #[case] text: &str,
) {
    let whats = [vec![connected()], Vec::from(asked(1, method, target, route))].concat();
    let found = complaints(engine_requests, whats);
    let expected = format!("the daemon asked the engine `{method} {target}`: {text}");
    assert!(found.contains(&expected), "{found:?}");
}

// The user asks once, and the daemon sends this often; then with a disturbed request, and with a daemon
// that was started again in between.
#[rstest]
#[case::once(1, vec![], false)]
#[case::twice(2, vec![], true)]
#[case::disturbed(2, vec![on_wire(1, WireWhat::Cut)], false)]
#[case::started_again(2, vec![process("daemon", ProcessState::Started); 2], false)]
fn an_action_is_sent_once(#[case] times: u64, #[case] also: Vec<What>, #[case] wrong: bool) {
    let asked_for =
        json!({"/metadata/annotations/containers.rancherdesktop.io~1action": "restart"});
    let mut whats = vec![connected_app(), user_wrote("containers", "c", "u1", asked_for)];
    for exchange in 1..=times {
        whats.extend(asked(
            exchange,
            "POST",
            "/v1.41/containers/c/restart",
            "/containers/{id}/restart",
        ));
        whats.extend(also.clone());
    }
    let found = complaints(engine_requests, whats).join("; ");
    assert_eq!(found.contains("sent it to the engine 2 times"), wrong, "{found}");
}

// The daemon has reported the action before it sends it again, as if its cache still had the annotation.
#[rstest]
#[case::at_once(2, 1_000, false)]
#[case::later(2, 1_100_000, true)]
#[case::more_than_once(3, 1_000, true)]
fn a_cache_may_show_an_action_once_more(
    #[case] times: u64,
    #[case] after_us: u64,
    #[case] wrong: bool,
) {
    let asked_for =
        json!({"/metadata/annotations/containers.rancherdesktop.io~1action": "restart"});
    let send = |exchange| {
        asked(exchange, "POST", "/v1.41/containers/c/restart", "/containers/{id}/restart")
    };
    let mut reported = container("c", "u1", "running");
    reported["status"]["lastAction"] = json!({"action": "restart", "state": "Succeeded"});
    let mut whats = vec![
        facts(&["app", "container", "engine"]),
        connected_app(),
        user_wrote("containers", "c", "u1", asked_for),
    ];
    whats.extend(send(1));
    whats.push(modified("containers", reported));
    let first = whats.len();
    whats.extend((2..=times).flat_map(send));
    let mut records = history(whats);
    records[first..].iter_mut().for_each(|record| record.at_us += after_us);
    let violated = !engine_requests(&records).violations.is_empty();
    assert_eq!(violated, wrong);
}

// In the protocol `state` nobody asks for an action, and the daemon repeats a failed one.
#[test]
fn a_state_that_a_user_asked_for_may_take_several_requests() {
    let mut whats = vec![connected_app()];
    for exchange in 1..=3 {
        whats.extend(asked(
            exchange,
            "POST",
            "/v1.41/containers/c/start",
            "/containers/{id}/start",
        ));
        whats.push(on_wire(exchange, WireWhat::Cut));
    }
    whats.extend(asked(4, "POST", "/v1.41/containers/c/start", "/containers/{id}/start"));
    whats.extend(asked(5, "POST", "/v1.41/containers/c/start", "/containers/{id}/start"));
    assert_eq!(complaints(engine_requests, whats), [""; 0]);
}

// The docker command of the user asks by the same wire.
#[test]
fn what_a_user_asks_for_is_not_judged() {
    let command =
        |end| What::UserCommand(UserCommand { number: 1, arguments: vec!["ps".to_owned()], end });
    let end = UserCommandEnd { exit: Exit::Code(0), said: String::new() };
    let request = Vec::from(asked(1, "GET", "/v1.41/containers/json", "/containers/json"));
    let whats = [vec![connected_app(), command(None)], request, vec![command(Some(end))]].concat();
    assert_eq!(complaints(engine_requests, whats), [""; 0]);
}

// One request of the bootstrap is missing, or comes too late.
#[test]
fn a_daemon_that_subscribes_has_asked_in_order() {
    let judged = |whats: Vec<What>| {
        complaints(engine_requests, [whats, subscribed(), vec![connected()]].concat())
    };
    assert_eq!(judged(bootstrap()), [""; 0]);
    for missing in 0..bootstrap().len() / 2 {
        let mut whats = bootstrap();
        whats.drain(2 * missing..2 * missing + 2);
        let found = judged(whats);
        assert!(found[0].contains("in the promised order"), "{missing}: {found:?}");
    }
    let mut late = bootstrap();
    late.rotate_left(4);
    assert!(!judged(late).is_empty());
}

// A process ends between the lists and the subscription. A new daemon must ask for everything anew; a
// daemon that has all answers needs no engine.
#[rstest]
#[case("daemon", true)]
#[case("controllers", true)]
#[case("engine", false)]
fn only_the_end_of_a_daemon_begins_the_order_anew(#[case] ended: &str, #[case] complains: bool) {
    let ended = process(ended, ProcessState::Stopped);
    let whats = [bootstrap(), vec![ended], subscribed(), vec![connected()]].concat();
    assert_eq!(!complaints(engine_requests, whats).is_empty(), complains);
}

#[test]
fn connected_follows_a_full_sync() {
    let whats = [vec![unsynced()], bootstrap(), subscribed(), vec![connected()]].concat();
    assert_eq!(complaints(engine_requests, whats), [""; 0]);
    // The subscription ends, and the daemon reports that it is connected again without another sync.
    let ended = on_wire(90, WireWhat::Cut);
    let lost =
        [("ContainerEngineReady", "False", "ConnectFailed", 1), ("Settled", "True", "Settled", 1)];
    let lost = app_is(at_version(10, app(1, true, &lost)));
    let again = vec![ended, lost, app_is(at_version(11, ready_app(1)))];
    let whats = [vec![unsynced()], bootstrap(), subscribed(), vec![connected()], again].concat();
    let found = complaints(engine_requests, whats).join("; ");
    assert!(found.contains("but the engine had not answered /containers/json"), "{found}");
}

/// The App without `Connected`.
fn unsynced() -> What {
    app_is(at_version(8, app(1, true, &[("Settled", "False", "Odd", 1)])))
}

/// The daemon sends its subscription.
fn subscribing() -> What {
    let [request, _] = asked(90, "GET", "/v1.41/events?since=7", "/events");
    request
}

fn answered(status: u16) -> What {
    on_wire(90, WireWhat::Response { status })
}

const REFUSED: &str = "but the engine refused the subscription to events with status 500";
const LOST: &str = "but the subscription to events ended without an answer";

// The App becomes `Connected` before the engine has answered the subscription. `after` is what happens
// then.
#[rstest]
#[case::refused(vec![subscribing(), answered(500)], vec![], Some(REFUSED))]
#[case::refused_later(vec![subscribing()], vec![answered(500)], Some(REFUSED))]
#[case::lost(vec![subscribing(), on_wire(90, WireWhat::Cut)], vec![], Some(LOST))]
#[case::never_answered(vec![subscribing()], checkpoint(1).into(), Some("did not answer"))]
#[case::never_sent(vec![], checkpoint(1).into(), Some("did not subscribe"))]
// The subscription was on its way: a gate may have held it, or the records were not in order.
#[case::answered_later(vec![subscribing()], vec![answered(200)], None)]
#[case::answered(vec![subscribing(), answered(200)], checkpoint(1).into(), None)]
// The daemon reported what was right at that time; only the watch was late.
#[case::ended_since(vec![subscribing(), answered(200), on_wire(90, WireWhat::Cut)], vec![], None)]
fn connected_follows_an_answered_subscription(
    #[case] before: Vec<What>,
    #[case] after: Vec<What>,
    #[case] expected: Option<&str>,
) {
    let whats = [vec![unsynced()], bootstrap(), before, vec![connected()], after].concat();
    let found = complaints(engine_requests, whats).join("; ");
    match expected {
        Some(text) => assert!(found.contains(text), "{found}"),
        None => assert_eq!(found, ""),
    }
}

/// The header of a run that began 100 s after 1970.
fn began() -> What {
    let What::Run(head) = run_with_steps(&serde_json::json!(["settle"])) else { unreachable!() };
    What::Run(crate::record::RunHeader { started: "1970-01-01T00:01:40Z".to_owned(), ..head })
}

#[rstest]
#[case("since=100", None)]
#[case("since=101", None)]
#[case("since=7", Some("the engine's clock says a time from 98 to 102"))]
#[case("since=160", Some("the engine's clock says a time from 98 to 102"))]
fn a_subscription_begins_at_the_engines_time(#[case] since: &str, #[case] expected: Option<&str>) {
    let target = format!("/v1.41/events?{since}");
    let events = Vec::from(asked(90, "GET", &target, "/events"));
    let whats = [vec![began()], bootstrap(), events, vec![connected()]].concat();
    let found = complaints(engine_requests, whats).join("; ");
    match expected {
        Some(text) => assert!(found.contains(text), "{found}"),
        None => assert_eq!(found, ""),
    }
}

// The guest's clock is the engine's, and a step has set it: a daemon that subscribes by the harness's clock is
// wrong then. After a boot, nobody knows how fast it runs.
#[rstest]
#[case::ahead(json!({ "clock": { "ahead_s": 86400 } }), "since=87500", None)]
#[case::behind(json!({ "clock": { "behind_s": 50 } }), "since=1050", None)]
#[case::not_by_the_engine(
    json!({ "clock": { "ahead_s": 86400 } }),
    "since=100",
    Some("the engine's clock says a time from 87498 to 87502")
)]
#[case::right_after_a_boot(json!("panic"), "since=100", None)]
#[case::fast_after_a_boot(json!("panic"), "since=420", None)]
fn a_subscription_begins_at_the_time_of_a_guest_whose_clock_was_set(
    #[case] op: serde_json::Value,
    #[case] since: &str,
    #[case] expected: Option<&str>,
) {
    let jumps = json!([{ "guest": { "clock": { "ahead_s": 1000 } } }, { "guest": op }, "settle"]);
    let What::Run(head) = run_with_steps(&jumps) else { unreachable!() };
    let started = "1970-01-01T00:01:40Z".to_owned();
    let head = What::Run(crate::record::RunHeader { started, ..head });
    let steps = (0..2).flat_map(|index| [step_began(index), step_done(index)]).collect();
    let events = Vec::from(asked(90, "GET", &format!("/v1.41/events?{since}"), "/events"));
    let whats = [vec![head], steps, bootstrap(), events, vec![connected()]].concat();
    let found = complaints(engine_requests, whats).join("; ");
    match expected {
        Some(text) => assert!(found.contains(text), "{found}"),
        None => assert_eq!(found, ""),
    }
}

// The answer about the facts comes while the clock is set back, so it has the time from before or after.
#[rstest]
#[case("since=100", true)]
#[case("since=40", true)]
#[case("since=20", false)]
fn facts_that_are_answered_while_the_clock_is_set_have_either_time(
    #[case] since: &str,
    #[case] is_right: bool,
) {
    let jump = json!([{ "guest": { "clock": { "behind_s": 60 } } }, "settle"]);
    let What::Run(head) = run_with_steps(&jump) else { unreachable!() };
    let started = "1970-01-01T00:01:40Z".to_owned();
    let head = What::Run(crate::record::RunHeader { started, ..head });
    let events = Vec::from(asked(90, "GET", &format!("/v1.41/events?{since}"), "/events"));
    let whats =
        [vec![head, step_began(0)], bootstrap(), vec![step_done(0)], events, vec![connected()]];
    let found = complaints(engine_requests, whats.concat());
    assert_eq!(found.is_empty(), is_right, "{found:?}");
}

// The first attempt ends before the engine has answered about its facts, the second one is whole: the time is
// that of the second one's answer, and not two minutes before the first one's request.
#[test]
fn an_attempt_that_failed_behind_its_facts_leaves_none_to_the_next() {
    let [asked_for_facts, _] = asked(80, "GET", "/v1.41/info", "/info");
    let pings = bootstrap()[..4].to_vec();
    let failed = [pings, vec![asked_for_facts, on_wire(80, WireWhat::Cut)]].concat();
    let events = Vec::from(asked(90, "GET", "/v1.41/events?since=100", "/events"));
    let whats = [vec![began()], failed, bootstrap(), events, vec![connected()]].concat();
    assert_eq!(complaints(engine_requests, whats), [""; 0]);
}

/// A message on the wire before the user's own engine.
fn on_user_wire(connection: u64, event: WireWhat) -> What {
    What::UserWire(WireMessage { connection, exchange: connection, event })
}

// Two probes ping the user's engine, and a gate holds the first. It is abandoned in the one history and
// forwarded in the other.
#[test]
fn a_probe_that_is_replaced_ends() {
    let ping = |connection| {
        let request = WireWhat::Request {
            method: "HEAD".to_owned(),
            target: "/_ping".to_owned(),
            route: Some("/_ping".to_owned()),
            phase: Phase::Bootstrap,
        };
        on_user_wire(connection, request)
    };
    let released = || on_user_wire(1, WireWhat::Released { gate: "first".to_owned() });
    let abandoned = on_user_wire(1, WireWhat::Abandoned { gate: "first".to_owned() });
    let judged = |whats| complaints(engine_requests, [vec![connected_app()], whats].concat());
    assert_eq!(judged(vec![ping(1), abandoned, ping(2)]), [""; 0]);
    assert_eq!(judged(vec![ping(1), released(), ping(2)]), [""; 0]);
    let found = judged(vec![ping(1), ping(2), released()]);
    assert!(found[0].contains("the ping that gate first held still had its sender"), "{found:?}");
}

/// An App that was connected before the history began.
fn connected_app() -> What {
    listed("apps", 9, vec![at_version(9, ready_app(1))])
}
