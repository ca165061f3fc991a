//! Rules: which writes they match, and what they do to them. The first rule that acts on a write
//! decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use racetrap_history::WriteMatch;
use tokio::sync::watch;

use super::each::{Each, Stop};
use super::write::Write;

/// The state of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GateState {
    /// It has held no write yet.
    Armed,
    /// It holds a write, or held one until that was given up.
    Reached,
    /// The write that it holds goes on.
    Released,
}

/// A gate, as its handle and the held write share it.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) name: String,
    pub(super) state: watch::Sender<GateState>,
}

/// What a rule does to the writes that it matches.
#[derive(Debug)]
pub(super) enum RuleAction {
    /// Holds the n-th write, and no other.
    Hold(Arc<Gate>),
    /// Denies writes from the n-th on.
    Deny {
        /// Name of the rule.
        rule: String,
        /// How many more writes it denies; `None` for all.
        remaining: Option<u32>,
        /// How many writes it has denied.
        denied: u32,
    },
}

/// What happens to a write.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Allow,
    Hold(Arc<Gate>),
    /// Every write is held.
    Stop(Stop),
    /// The name is that of the rule.
    Deny(String),
}

#[derive(Debug)]
struct Rule {
    on: WriteMatch,
    action: RuleAction,
    /// How many writes it has matched.
    matched: u32,
}

/// The armed rules, in the order in which they were armed.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: BTreeMap<u64, Rule>,
    next: u64,
    /// How many writes were reviewed.
    reviewed: u64,
    /// The last of them, in words.
    last: String,
    /// Stops each write that no rule decides on, if it is armed.
    pub(super) each: Option<Each>,
}

impl Rules {
    /// Arms a rule and returns its number.
    pub(super) fn arm(&mut self, on: WriteMatch, action: RuleAction) -> u64 {
        let id = self.next;
        self.next += 1;
        self.rules.insert(id, Rule { on, action, matched: 0 });
        id
    }

    pub(super) fn disarm(&mut self, id: u64) {
        self.rules.remove(&id);
    }

    /// How many writes a rule has denied; 0 if it is not armed.
    pub(super) fn denied(&self, id: u64) -> u32 {
        match self.rules.get(&id).map(|rule| &rule.action) {
            Some(RuleAction::Deny { denied, .. }) => *denied,
            Some(RuleAction::Hold(_)) | None => 0,
        }
    }

    /// How many writes were reviewed so far.
    pub(super) fn reviewed(&self) -> u64 {
        self.reviewed
    }

    /// Describes the writes that were reviewed since their number was `reviewed`.
    pub(super) fn describe_since(&self, reviewed: u64) -> String {
        match self.reviewed - reviewed {
            0 => "no write at all".to_owned(),
            count => format!("{count} other writes, the last one {}", self.last),
        }
    }

    /// Decides on a write.
    pub(super) fn decide(&mut self, write: &Write) -> Decision {
        self.reviewed += 1;
        self.last = write.to_string();
        // The iterator is lazy: the rules behind the one that decides do not count the write.
        let matching = self.rules.values_mut().filter(|rule| write.matches(&rule.on));
        let decided = matching.into_iter().find_map(Rule::apply);
        let stop = || self.each.as_mut()?.stop(write).map(Decision::Stop);
        decided.or_else(stop).unwrap_or(Decision::Allow)
    }
}

impl Rule {
    /// Counts the write. Returns a decision if the rule acts on a write with this count.
    fn apply(&mut self) -> Option<Decision> {
        self.matched += 1;
        let nth = self.on.nth.unwrap_or(1);
        match &mut self.action {
            RuleAction::Hold(gate) => (self.matched == nth).then(|| Decision::Hold(gate.clone())),
            RuleAction::Deny { rule, remaining, denied } => {
                if self.matched < nth {
                    return None;
                }
                if let Some(remaining) = remaining {
                    // At 0 the rule is used up, and the next one may decide.
                    *remaining = remaining.checked_sub(1)?;
                }
                *denied += 1;
                Some(Decision::Deny(rule.clone()))
            }
        }
    }
}
