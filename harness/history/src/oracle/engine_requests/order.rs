//! A daemon that connects asks in the promised order, and reports `Connected` only afterwards
//! (contract 4.1.1 to 4.1.9, 3.7.6).
//!
//! - Since its start or its last subscription, a daemon that subscribes has pinged twice, and asked for
//!   the engine's facts and for each list, in this order. Other requests in between do not matter.
//! - `since` is the second of the engine's clock at the time of the answer about the facts; without an
//!   answer, it is two minutes before. The engine has the machine's clock, unless a step has set that of its
//!   guest. A guest that has booted since may have any time. An answer that a rule of the wire has changed is not judged.
//! - A condition that becomes `Connected` follows a complete set of lists that the engine has answered
//!   since the last subscription ended, or since the daemon's start. It also follows a subscription that
//!   the engine has answered and that is still open. If the subscription is on its way, its answer
//!   decides: a schedule of another finding may hold it, and a daemon that does not wait for it is not
//!   that finding.

use std::collections::BTreeMap;

use super::engine_clock::EngineClock;
use crate::check::Check;
use crate::mirror::unix_seconds;
use crate::oracle::Finding;
use crate::oracle::observed::ObservedObject;
use crate::record::{DAEMON_PARTS, ProcessState, Record, Stage, What, WireMessage, WireWhat};
use crate::steps::Steps;
use crate::view::{AppView, EVENTS, UserCommands};

/// The routes of a connection's requests before its subscription, in order.
const ORDER: [&str; 6] = ["/_ping", "/_ping", INFO, "/containers/json", "/images/json", "/volumes"];

/// The condition that says that the daemon has synced.
const READY: &str = "ContainerEngineReady";

/// The route of the engine's facts.
const INFO: &str = "/info";

/// The place of the facts in [`ORDER`].
const FACTS_AT: usize = 2;

/// The lists that make a full sync.
const LISTS: [&str; 3] = ["/containers/json", "/images/json", "/volumes"];

/// How long before the daemon's own time the subscription begins if the engine's is not known.
const BIAS_S: i64 = 120;

/// How far a time may be off: the run's start is known to the second only.
const SLACK_S: i64 = 2;

/// A request for the engine's facts.
#[derive(Clone, Copy, Default)]
struct Facts {
    asked_s: i64,
    /// The earliest and the latest that the engine's clock may have said in its answer, from the run's
    /// start; nothing if there was no answer.
    answered_s: Option<(i64, i64)>,
    /// The earliest and the latest that the engine's clock may have said at the request.
    earliest_s: i64,
    latest_s: i64,
    /// The answer is not the engine's own.
    changed: bool,
}

/// The daemon's newest subscription to the engine's events.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Subscription {
    /// There is none, or it was answered and has ended.
    #[default]
    Missing,
    /// Sent, and not answered.
    Sent,
    Open,
    /// The engine answered with this status.
    Refused(u16),
    /// Its connection ended before an answer.
    Unanswered,
}

/// A condition that became `Connected` while the engine had not answered the subscription.
struct Early {
    seq: u64,
    described: String,
}

#[derive(Default)]
struct Connecting {
    engine_clock: EngineClock,
    /// Routes of the exchanges.
    routes: BTreeMap<u64, String>,
    /// How many requests of [`ORDER`] the daemon has sent.
    progress: usize,
    facts: BTreeMap<u64, Facts>,
    /// The request for the facts that came in its place of the order.
    last_facts: Option<u64>,
    /// Which of [`LISTS`] the engine has answered.
    answered: [bool; LISTS.len()],
    subscription: Subscription,
    /// The exchange of the newest subscription.
    subscribed_by: u64,
    /// All lists were answered and a subscription was open, at some time since the App was last seen
    /// without `Connected`. The record of the App may follow the end of that subscription.
    was_watched: bool,
    early: Option<Early>,
    connected: bool,
    /// The newest version of the App.
    version: u64,
    /// A docker command of the user ran since the last subscription, so requests may be its own.
    order_is_blurred: bool,
    /// One ran since the condition last became `Connected`.
    lists_are_blurred: bool,
}

pub(super) fn judge(history: &[Record]) -> Finding {
    let mut finding = Finding::default();
    let mut connecting = Connecting::default();
    let mut by_user = UserCommands::default();
    let mut started_s = None;
    let steps = Steps::from_history(history);
    for record in history {
        by_user.apply(record, steps);
        connecting.engine_clock.apply(record, steps);
        let now_s = i64::try_from(record.at_us / 1_000_000).unwrap_or(i64::MAX);
        let complaint = match &record.what {
            What::Run(header) => {
                started_s = unix_seconds(&header.started);
                None
            }
            // The record of a start may follow the first requests. The end of the engine's process alone is
            // the end of no connection: the daemon may have read all answers before, or be frozen.
            What::Process { name, state, .. }
                if DAEMON_PARTS.contains(&name.as_str()) && *state != ProcessState::Started =>
            {
                connecting.forget();
                None
            }
            What::UserCommand(_) => {
                (connecting.order_is_blurred, connecting.lists_are_blurred) = (true, true);
                None
            }
            What::Wire(message) => connecting.apply(message, started_s, now_s),
            what => {
                let shown = ObservedObject::in_record(what);
                let apps = shown.into_iter().filter(|seen| seen.resource == "apps");
                apps.filter_map(|seen| connecting.app(&seen, record.seq)).next()
            }
        };
        connecting.order_is_blurred |= by_user.run();
        connecting.lists_are_blurred |= by_user.run();
        if let Some(text) = complaint {
            finding.violated(Check::SyncOrder, record.seq, text);
        }
        if let Some((seq, text)) = connecting.early_complaint(&record.what) {
            finding.violated(Check::ConnectedEarly, seq, text);
        }
    }
    finding
}

impl Connecting {
    /// A daemon has ended: what it had asked for does not count for the next.
    fn forget(&mut self) {
        (self.progress, self.last_facts, self.early) = (0, None, None);
        (self.answered, self.subscription) = Default::default();
        self.was_watched = false;
    }

    /// Whether the engine is synced and its events are watched.
    fn is_watched(&self) -> bool {
        self.subscription == Subscription::Open && self.answered.iter().all(|answered| *answered)
    }

    fn apply(
        &mut self,
        message: &WireMessage,
        started_s: Option<i64>,
        now_s: i64,
    ) -> Option<String> {
        let exchange = message.exchange;
        let route = self.routes.get(&exchange).map(String::as_str);
        match &message.event {
            WireWhat::Request { route: Some(route), target, .. } => {
                self.routes.insert(exchange, route.clone());
                if route == EVENTS {
                    (self.subscription, self.subscribed_by) = (Subscription::Sent, exchange);
                    return self.subscribed(target, started_s, now_s);
                }
                if route == INFO {
                    let (earliest_s, latest_s) = self.engine_clock.at(now_s);
                    let asked = Facts { asked_s: now_s, earliest_s, latest_s, ..Facts::default() };
                    self.facts.insert(exchange, asked);
                }
                if ORDER.get(self.progress) == Some(&route.as_str()) {
                    self.progress += 1;
                    self.last_facts = (route == INFO).then_some(exchange).or(self.last_facts);
                } else if route == INFO && self.progress > FACTS_AT {
                    // An attempt has failed behind its facts, and the next one asks for them again.
                    self.progress = FACTS_AT + 1;
                    self.last_facts = Some(exchange);
                }
            }
            WireWhat::Response { status } if exchange == self.subscribed_by => {
                self.subscription = match *status {
                    ..400 => Subscription::Open,
                    status => Subscription::Refused(status),
                };
                self.was_watched |= self.is_watched();
            }
            WireWhat::Response { status } if *status < 400 => {
                if let Some(list) = LISTS.iter().position(|list| route == Some(*list)) {
                    self.answered[list] = true;
                }
                let (earliest_s, latest_s) = self.engine_clock.at(now_s);
                if let Some(facts) = self.facts.get_mut(&exchange) {
                    // If the clock was set back in between, the answer is earlier than the request.
                    let earliest_s = earliest_s.min(facts.earliest_s);
                    facts.answered_s = Some((earliest_s, latest_s.max(facts.latest_s)));
                }
            }
            WireWhat::Faulted { .. } | WireWhat::Held { .. } => {
                if let Some(facts) = self.facts.get_mut(&exchange) {
                    facts.changed = true;
                }
            }
            // The subscription ends; what follows is a new connection.
            WireWhat::Finished { .. } | WireWhat::Cut | WireWhat::UpstreamLost { .. }
                if route == Some(EVENTS) =>
            {
                self.answered = Default::default();
                if exchange == self.subscribed_by {
                    self.subscription = match self.subscription {
                        Subscription::Open => Subscription::Missing,
                        Subscription::Sent => Subscription::Unanswered,
                        ended => ended,
                    };
                }
            }
            _ => {}
        }
        None
    }

    /// The daemon subscribes to the engine's events.
    fn subscribed(&mut self, target: &str, started_s: Option<i64>, now_s: i64) -> Option<String> {
        let facts = self.last_facts.take().and_then(|exchange| self.facts.get(&exchange).copied());
        let progress = std::mem::take(&mut self.progress);
        if std::mem::take(&mut self.order_is_blurred) {
            return None;
        }
        if let Some(missing) = ORDER.get(progress) {
            return Some(format!(
                "the daemon subscribed to events by `{target}`, but it had not asked for {missing} \
                 in the promised order: {}",
                ORDER.join(", ")
            ));
        }
        let parameters = target.split_once('?')?.1.split('&');
        let mut since = parameters.filter_map(|text| text.strip_prefix("since="));
        let since: i64 = since.next()?.parse().ok()?;
        let facts = facts.filter(|facts| !facts.changed)?;
        let started_s = started_s?;
        let (from, to) = match facts.answered_s {
            Some(by_engine) => by_engine,
            None => (facts.asked_s - BIAS_S, now_s - BIAS_S),
        };
        let (from, to) = (started_s + from - SLACK_S, started_s + to + SLACK_S);
        (!(from..=to).contains(&since)).then(|| {
            format!(
                "the daemon subscribed to events since {since}; the engine's clock says a time from \
                 {from} to {to}"
            )
        })
    }

    fn app(&mut self, seen: &ObservedObject<'_>, seq: u64) -> Option<String> {
        let version = seen.version().filter(|version| *version > self.version)?;
        self.version = version;
        let app = AppView::read(seen.object);
        let connected = app.condition(READY) == Some(("True", "Connected"));
        let was_connected = std::mem::replace(&mut self.connected, connected);
        let was_watched = self.was_watched;
        if !connected {
            self.was_watched = self.is_watched();
        }
        if !connected
            || was_connected
            || std::mem::take(&mut self.lists_are_blurred)
            || seen.change.is_none()
            || was_watched
        {
            return None;
        }
        let described = app.describe(READY);
        let failed =
            matches!(self.subscription, Subscription::Refused(_) | Subscription::Unanswered);
        match LISTS.iter().zip(self.answered).find(|(_, answered)| !answered) {
            // The end of the subscription has reset the lists, and is what went wrong first.
            Some((missing, _)) if !failed => Some(format!(
                "{described}; but the engine had not answered {missing} since the daemon's last \
                 connection"
            )),
            _ => {
                self.early = Some(Early { seq, described });
                None
            }
        }
    }

    /// What was wrong with a condition that became `Connected` early, as soon as that is known.
    fn early_complaint(&mut self, what: &What) -> Option<(u64, String)> {
        let is_checkpoint = matches!(what, What::Checkpoint { stage: Stage::Probed, .. });
        let but = match self.subscription {
            Subscription::Open => {
                self.early = None;
                return None;
            }
            Subscription::Refused(status) => {
                format!("the engine refused the subscription to events with status {status}")
            }
            Subscription::Unanswered => {
                "the subscription to events ended without an answer".to_owned()
            }
            Subscription::Sent if is_checkpoint => {
                "the engine did not answer the subscription to events".to_owned()
            }
            Subscription::Missing if is_checkpoint => {
                "the daemon did not subscribe to events".to_owned()
            }
            Subscription::Sent | Subscription::Missing => return None,
        };
        let Early { seq, described } = self.early.take()?;
        Some((seq, format!("{described}; but {but}")))
    }
}
