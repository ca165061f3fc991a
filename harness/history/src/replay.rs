//! Whether a run has repeated the failure that its scenario was written for.

use serde::Serialize;

use crate::record::{Record, Review, ReviewOutcome, What, WireWhat};
use crate::scenario::{Replay, SERIAL};
use crate::verdict::{Judgement, Verdict};

/// What a run of a replay file has shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "replay")]
pub enum Replayed {
    /// The promise was broken again.
    Reproduced,
    /// Everything happened in the expected order, and the promise was kept.
    NotReproduced,
    /// Something else happened, so the run says nothing of the failure.
    Diverged {
        /// What.
        why: String,
    },
}

impl Replayed {
    /// Compares a run with what its scenario expects.
    #[must_use]
    pub fn new(expected: &Replay, history: &[Record], judgement: &Judgement) -> Self {
        if judgement.oracles().contains(&expected.oracle) {
            return Self::Reproduced;
        }
        let order = triggers(history);
        if !order.starts_with(&expected.order) {
            let why = format!("expected {}, and saw {}", listed(&expected.order), listed(&order));
            return Self::Diverged { why };
        }
        match judgement.verdict {
            Verdict::Pass => Self::NotReproduced,
            Verdict::Fail => {
                let oracles: Vec<_> = judgement.oracles().iter().map(ToString::to_string).collect();
                Self::Diverged { why: format!("it failed by {}", oracles.join(", ")) }
            }
            Verdict::Unknown | Verdict::NotApplicable => {
                Self::Diverged { why: format!("its verdict is {}", judgement.verdict) }
            }
        }
    }
}

fn listed(order: &[String]) -> String {
    if order.is_empty() { "no trigger".to_owned() } else { order.join(", then ") }
}

/// The gates that held something and the rules that changed something, each once, in the order in which
/// they first did.
#[must_use]
pub fn triggers(history: &[Record]) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for record in history {
        if let Some(trigger) = trigger(&record.what)
            && !order.contains(&trigger)
        {
            order.push(trigger);
        }
    }
    order
}

/// The messages and steps of a serial part, in the order in which they went on.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "only these records are turns")]
pub fn turns(history: &[Record]) -> Vec<String> {
    let turns = history.iter().filter_map(|record| match &record.what {
        What::Turn { of } => Some(of.clone()),
        _ => None,
    });
    turns.collect()
}

/// Whether a message at this gate is one of a serial part.
fn is_serial(gate: &str) -> bool {
    gate.strip_prefix(SERIAL).is_some_and(|message| message.starts_with(' '))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these records are of gates and rules")]
fn trigger(what: &What) -> Option<String> {
    match what {
        What::Wire(message)
        | What::ApiWire(message)
        | What::UserWire(message)
        | What::KubernetesWire(message) => {
            match &message.event {
                // Each message of a serial part is held.
                WireWhat::Held { gate, .. } if is_serial(gate) => None,
                WireWhat::Held { gate, .. } => Some(format!("gate {gate}")),
                WireWhat::Faulted { rule, .. } => Some(rule.clone()),
                _ => None,
            }
        }
        What::Review(Review { outcome: ReviewOutcome::HeldAt(gate), .. }) if is_serial(&gate.0) => {
            None
        }
        What::Review(Review { outcome: ReviewOutcome::HeldAt(gate), .. }) => {
            Some(format!("gate {gate}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::record::WireMessage;
    use crate::scenario::{GateName, OracleName, Point};
    use crate::verdict::Violation;

    fn held(gate: &str) -> What {
        let event = WireWhat::Held { gate: gate.to_owned(), point: Point::Request };
        What::Wire(WireMessage { connection: 0, exchange: 0, event })
    }

    // Each message of a serial part is held. Its order is that of the turns, and not that of the gates.
    #[test]
    fn the_order_of_a_serial_part_is_that_of_its_turns() {
        let turn = |of: &str| What::Turn { of: of.to_owned() };
        let names = ["serial request GET /info 1", "a step"];
        let write = What::Review(Review {
            operation: "UPDATE".to_owned(),
            resource: "volumes".to_owned(),
            name: "vol-1".to_owned(),
            manager: None,
            outcome: ReviewOutcome::HeldAt(GateName("serial write UPDATE volumes 1".to_owned())),
        });
        let whats = [held(names[0]), turn(names[0]), write, held("serially"), turn(names[1])];
        let records = (0..).zip(whats);
        let history: Vec<_> =
            records.map(|(seq, what)| Record { seq, at_us: seq, neighbour: false, what }).collect();
        assert_eq!(turns(&history), names);
        assert_eq!(triggers(&history), ["gate serially"]);
    }

    fn judged(verdict: Verdict, oracle: Option<OracleName>) -> Judgement {
        let violations = oracle.into_iter().map(|oracle| Violation {
            oracle,
            seq: 0,
            check: None,
            text: String::new(),
        });
        let violations = violations.collect();
        Judgement { verdict, violations, ..Judgement::unknown(Vec::new()) }
    }

    #[rstest]
    #[case::again(&["a", "b"], Verdict::Fail, Some(OracleName::Counts), "reproduced")]
    #[case::kept(&["a", "b"], Verdict::Pass, None, "not_reproduced")]
    #[case::more_happened(&["a", "b", "c"], Verdict::Pass, None, "not_reproduced")]
    #[case::another_order(&["b", "a"], Verdict::Pass, None, "diverged")]
    #[case::less_happened(&["a"], Verdict::Unknown, None, "diverged")]
    #[case::another_failure(&["a", "b"], Verdict::Fail, Some(OracleName::Identity), "diverged")]
    #[case::in_another_order_too(&["b", "a"], Verdict::Fail, Some(OracleName::Counts), "reproduced")]
    fn a_replay_is_compared_by_its_promise_and_its_order(
        #[case] seen: &[&str],
        #[case] verdict: Verdict,
        #[case] oracle: Option<OracleName>,
        #[case] answer: &str,
    ) {
        let order = ["gate a", "gate b"].map(str::to_owned).to_vec();
        let expected = Replay { oracle: OracleName::Counts, order };
        let whats = seen.iter().flat_map(|gate| [held(gate), held(gate)]);
        let history: Vec<_> = whats
            .zip(0..)
            .map(|(what, seq)| Record { seq, at_us: seq, neighbour: false, what })
            .collect();
        let replayed = Replayed::new(&expected, &history, &judged(verdict, oracle));
        let json = serde_json::to_value(&replayed).expect("JSON");
        assert_eq!(json["replay"], answer, "{replayed:?}");
    }
}
