//! Rules: which writes are meant, and what becomes of them. The first rule that fits decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use racetrap_history::WriteMatch;
use tokio::sync::watch;

use super::write::Write;

/// Where a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// No write has come yet.
    Armed,
    /// A write stands here, or stood here until it was given up.
    Reached,
    /// Whatever stands here goes on.
    Released,
}

/// A gate, as its holder and the write that stands there share it.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) name: String,
    pub(super) stand: watch::Sender<Stand>,
}

/// What a rule does to the writes that it fits.
#[derive(Debug)]
pub(super) enum Action {
    /// Holds the one write that the count names.
    Hold(Arc<Gate>),
    /// Denies writes, the one that the count names first.
    Deny {
        /// Name of the rule.
        rule: String,
        /// How many more; all, where there is no number.
        left: Option<u32>,
        /// How many were denied.
        denied: u32,
    },
}

/// What becomes of a write.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Allow,
    Hold(Arc<Gate>),
    /// By the rule of this name.
    Deny(String),
}

#[derive(Debug)]
struct Rule {
    on: WriteMatch,
    action: Action,
    /// Writes that fitted since arming.
    seen: u32,
}

/// All rules, in the order of their arming.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: BTreeMap<u64, Rule>,
    next: u64,
    /// Writes that were asked about, and the last of them in words.
    asked: u64,
    last: String,
}

impl Rules {
    /// Arms a rule; gives its number.
    pub(super) fn arm(&mut self, on: WriteMatch, action: Action) -> u64 {
        let id = self.next;
        self.next += 1;
        self.rules.insert(id, Rule { on, action, seen: 0 });
        id
    }

    pub(super) fn disarm(&mut self, id: u64) {
        self.rules.remove(&id);
    }

    /// How many writes a rule has denied.
    pub(super) fn denied(&self, id: u64) -> u32 {
        match self.rules.get(&id).map(|rule| &rule.action) {
            Some(Action::Deny { denied, .. }) => *denied,
            Some(Action::Hold(_)) | None => 0,
        }
    }

    /// Writes that were asked about so far.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    /// The writes since `asked` was so many, in words.
    pub(super) fn seen_since(&self, asked: u64) -> String {
        match self.asked - asked {
            0 => "no write at all".to_owned(),
            count => format!("{count} other writes, the last one {}", self.last),
        }
    }

    /// What becomes of a write; counts it for every rule that it fits up to the deciding one.
    pub(super) fn decide(&mut self, write: &Write) -> Decision {
        self.asked += 1;
        self.last = write.to_string();
        let fitting = self.rules.values_mut().filter(|rule| write.fits(&rule.on));
        fitting.into_iter().find_map(Rule::apply).unwrap_or(Decision::Allow)
    }
}

impl Rule {
    /// Counts the write, and decides where its turn has come.
    fn apply(&mut self) -> Option<Decision> {
        self.seen += 1;
        let nth = self.on.nth.unwrap_or(1);
        match &mut self.action {
            Action::Hold(gate) => (self.seen == nth).then(|| Decision::Hold(gate.clone())),
            Action::Deny { rule, left, denied } => {
                if self.seen < nth {
                    return None;
                }
                if let Some(left) = left {
                    *left = left.checked_sub(1)?;
                }
                *denied += 1;
                Some(Decision::Deny(rule.clone()))
            }
        }
    }
}
